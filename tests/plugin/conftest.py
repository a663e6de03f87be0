"""A viewer without a window, a problem in its layers, and a network that needs no model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QSettings

from napari_revsam2.engine.problem import QueryVolume, SupportSet, stack_supports
from napari_revsam2.plugin.dock_widget import RevSAM2Widget
from napari_revsam2.plugin.layers.layer_slices import LayerSlices, slices_of
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import RevSAM2Config
from tests.engine.conftest import BRIGHT, DARK, paint
from tests.engine.fake_propagator import FakePropagator

from .leaks import nothing_left_behind

CONFIG = RevSAM2Config(n_support=3, top_k=2)
LIMITS = (0.0, 100.0)
TRUTH = paint((8, 14, 13), shift=3)[1]


class HeldPropagator(FakePropagator):
    """Segments slices one at a time, when held only as many as it is let; fails where a test plants an error."""

    def __init__(self) -> None:
        super().__init__(batch_size=1)
        self.calls = 0
        self.error: BaseException | None = None
        self.fails_at = 0
        self._held = False
        self._allowed = threading.Semaphore(0)

    def hold(self) -> None:
        """Wait before each slice."""
        self._held = True

    def let_one(self) -> None:
        """Let one slice pass."""
        self._allowed.release()

    def let_go(self) -> None:
        """Wait no more."""
        self._held = False
        self._allowed.release()

    def segment(self, embeddings, banks):
        """Wait if held; raise the planted error when its call has come."""
        if self._held:
            assert self._allowed.acquire(timeout=10)
        self.calls += 1
        if self.error is not None and self.calls >= self.fails_at:
            raise self.error
        return super().segment(embeddings, banks)


@pytest.fixture(autouse=True)
def nothing_leaks(qapp) -> Iterator[None]:
    """Fail a test that leaves a window, shown or hidden, or a running thread behind."""
    with nothing_left_behind():
        yield


@pytest.fixture(autouse=True)
def settings_of_its_own(tmp_path) -> None:
    """Keep a test's form off the user's settings (on Linux; elsewhere Qt has no such path)."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path))


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    """A viewer model with a query layer."""
    viewer = ViewerModel()
    viewer.add_image(paint((8, 14, 13), shift=3)[0], name="query", scale=(3, 1, 1))
    return viewer


@dataclass(frozen=True, eq=False)
class Request:
    """A `RunRequest` whose parts are there already."""

    supports: SupportSet
    query: QueryVolume
    query_layer: Image
    slices: LayerSlices
    config: RevSAM2Config
    labels: tuple[int, ...]
    colormap: Any = None


@pytest.fixture
def request_of(viewer):
    """Make a request for the viewer's query layer, or part of it."""

    def make(config: RevSAM2Config = CONFIG, span=None) -> Request:
        image, labels = paint((5, 10, 12))
        slices = slices_of(viewer.layers["query"], axis=0, span=span)
        supports = SupportSet(stack_supports(image, labels, LIMITS))
        return Request(supports, QueryVolume(slices, LIMITS), viewer.layers["query"], slices, config, (BRIGHT, DARK))

    return make


@pytest.fixture
def network() -> HeldPropagator:
    """The network under the controller."""
    return HeldPropagator()


def assert_is_truth(data: np.ndarray) -> None:
    """Compare with the true labels of the query."""
    np.testing.assert_array_equal(data, TRUTH)


@pytest.fixture
def widget(qtbot, viewer, network):
    """The widget with a painted support and the query."""
    image, labels = paint((5, 10, 12))
    labels[3:] = 0
    viewer.layers.insert(0, Image(image, name="support", scale=(2, 1, 1)))
    viewer.add_labels(labels, name="support labels", scale=(2, 1, 1))
    widget = RevSAM2Widget(viewer, KeptNetwork(lambda config: StoredEmbeddings(network)))
    qtbot.addWidget(widget)
    qtbot.waitUntil(lambda: widget.form.run_bar.button.isEnabled())
    yield widget
    widget.close()


@pytest.fixture
def ran(widget, qtbot):
    """The widget after a click on Run."""
    widget.form.run_bar.button.click()
    qtbot.waitUntil(lambda: not widget.controller.state.phase.is_active, timeout=10_000)
    assert widget.controller.state.phase is Phase.COMPLETED
    return widget
