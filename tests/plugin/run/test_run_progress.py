"""A run in words, and in napari's activity dock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from napari.utils import progress
from qtpy.QtWidgets import QWidget

from napari_revsam2.engine.events import Stage
from napari_revsam2.plugin.run.run_progress import ActivityBar, described
from napari_revsam2.plugin.run.run_state import Phase, RunState

AT_WORK = RunState(Phase.RUNNING, n_slices=8, stage=Stage.REVERSE, label=2, done=3, total=8)


@pytest.mark.parametrize(
    ("state", "seconds_left", "text"),
    [
        (RunState(), None, ""),
        (RunState(Phase.RUNNING), None, "Loading the model ..."),
        (AT_WORK, None, "Reverse propagation, class 2: 3 of 8"),
        (AT_WORK, 12.4, "Reverse propagation, class 2: 3 of 8, about 12 s left in this stage"),
        (AT_WORK, 0.2, "Reverse propagation, class 2: 3 of 8, about 1 s left in this stage"),
        (replace(AT_WORK, stage=Stage.EMBED, label=None), None, "Embedding slices: 3 of 8"),
        (replace(AT_WORK, phase=Phase.CANCELING), 5, "Canceling ..."),
        (RunState(Phase.COMPLETED), None, "Done."),
        (RunState(Phase.COMPLETED, notices=("Class 1 was found nowhere.",)), None, "Done. Class 1 was found nowhere."),
        (
            RunState(Phase.CANCELED),
            None,
            "Canceled. The slices that were reached are kept, marked as partial.",
        ),
        (RunState(Phase.CANCELED, message="The layer was removed."), None, "The layer was removed."),
        (RunState(Phase.FAILED, message="Broken."), None, "Broken."),
    ],
)
def test_a_run_in_one_line(state, seconds_left, text):
    assert described(state, seconds_left) == text


@pytest.fixture
def bar(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    bar = ActivityBar(widget)
    yield bar
    bar.close()


@pytest.fixture
def shown(monkeypatch):
    """The bars that napari was asked for."""
    bars = []

    class Recorded(progress):
        def __init__(self, *arguments, **more) -> None:
            super().__init__(*arguments, **more)
            bars.append(self)

    monkeypatch.setattr("napari_revsam2.plugin.run.run_progress.progress", Recorded)
    return bars


def test_one_bar_follows_the_stages_of_a_run_and_goes_at_its_end(bar, shown):
    bar.show(RunState(Phase.RUNNING, n_slices=8))
    bar.show(AT_WORK)
    (napari_bar,) = shown
    assert (napari_bar.n, napari_bar.total, napari_bar.desc) == (3, 8, "RevSAM2: Reverse propagation: ")
    bar.show(replace(AT_WORK, stage=Stage.SELF, done=1))
    assert (napari_bar.n, napari_bar.desc) == (1, "RevSAM2: Query self propagation: ")
    bar.show(replace(AT_WORK, phase=Phase.COMPLETED))
    assert napari_bar not in napari_bar._all_instances
    assert len(shown) == 1


def test_without_a_run_there_is_no_bar(bar, shown):
    bar.show(RunState())
    bar.show(RunState(Phase.FAILED))
    assert not shown


def test_a_stage_without_slices_is_no_endless_bar(bar, shown):
    bar.show(RunState(Phase.RUNNING, total=0))
    assert shown[0].total == 1
