"""The plugin's model thread, without a window, on a CUDA device."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from threading import Event as Flag

import numpy as np
import pytest

try:
    from qtpy.QtCore import Qt
except ImportError:
    pytest.skip("needs Qt", allow_module_level=True)

from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.plugin.run.model_thread import Job, ModelThread
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.loading import load_with_store

from .devices import on_both
from .test_gpu import config_of, problem_of, run

TIMEOUT = 60
"""Seconds."""


class Followed:
    """A model thread whose events and endings are noted on that thread, so that no event loop is needed."""

    def __init__(self) -> None:
        self.thread = ModelThread()
        self.events: list[object] = []
        self.endings: list[tuple[Phase, str]] = []
        self.arrived, self.ended = Flag(), Flag()
        self.thread.event_arrived.connect(self._on_event, Qt.ConnectionType.DirectConnection)
        self.thread.job_ended.connect(self._on_ending, Qt.ConnectionType.DirectConnection)

    def _on_event(self, job: Job, event: object) -> None:
        self.events.append(event)
        self.arrived.set()

    def _on_ending(self, job: Job, phase: Phase, message: str) -> None:
        self.endings.append((phase, message))
        self.ended.set()


@pytest.fixture
def followed() -> Iterator[Followed]:
    """A thread that is closed after the test."""
    thread = Followed()
    yield thread
    thread.thread.close()


@on_both
def test_runs_on_the_model_thread_give_the_masks_of_the_main_thread(followed: Followed, device: str) -> None:
    config = config_of(device=device)
    network = load_with_store(config)
    expected = run(config, network)
    for count in (1, 2):
        followed.ended.clear()
        followed.thread.submit(Job(partial(run_revsam2, network, *problem_of(config), config, (1,))))
        assert followed.ended.wait(TIMEOUT)
        assert followed.endings == [(Phase.COMPLETED, "")] * count
        finished = followed.events[-1]
        assert isinstance(finished, RunFinished)
        np.testing.assert_array_equal(finished.segmentation, expected.segmentation)


@on_both
def test_cancel_ends_the_run_and_the_next_one_completes(followed: Followed, device: str) -> None:
    config = config_of(device=device)
    network = load_with_store(config)
    job = Job(partial(run_revsam2, network, *problem_of(config), config, (1,)))
    followed.thread.submit(job)
    assert followed.arrived.wait(TIMEOUT)
    job.cancel()
    assert followed.ended.wait(TIMEOUT)
    assert followed.endings == [(Phase.CANCELED, "")]
    followed.ended.clear()
    followed.thread.submit(Job(partial(run_revsam2, network, *problem_of(config), config, (1,))))
    assert followed.ended.wait(TIMEOUT)
    assert followed.endings[1:] == [(Phase.COMPLETED, "")]
