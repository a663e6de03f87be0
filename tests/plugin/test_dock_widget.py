"""The whole widget on a viewer without a window: what reaches what."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_revsam2.plugin.dock_widget import RevSAM2Widget
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from tests.engine.conftest import BRIGHT, DARK, paint

from .conftest import assert_is_truth


def test_one_click_on_run_leaves_masks_scores_and_done(ran, viewer):
    assert_is_truth(viewer.layers["query revsam2"].data)
    assert set(ran.scores.plot._curves) == {BRIGHT, DARK}
    assert ran.form.run_bar.text.text().startswith("Done.")
    assert ran.form.run_bar.button.text() == "Run"
    assert ran.scores.again.isEnabled()


def test_the_button_is_cancel_while_the_run_goes_on(widget, qtbot, network):
    network.hold()
    button = widget.form.run_bar.button
    button.click()
    assert button.text() == "Cancel"
    button.click()
    network.let_go()
    qtbot.waitUntil(lambda: widget.controller.state.phase is Phase.CANCELED)
    assert button.text() == "Run"


def test_the_line_follows_the_slider_and_a_click_in_the_plot_moves_it(ran, viewer):
    query = viewer.layers["query"]
    viewer.dims.set_point(0, 5 * query.scale[0])
    assert ran.scores.plot._current.value() == 5
    ran.scores.slice_requested.emit(2)
    assert query.world_to_data(viewer.dims.point)[0] == pytest.approx(2)


def test_see_the_worst_mend_it_and_propagate_again(ran, viewer, qtbot, network):
    embedded = len(network.embedded)
    layer = viewer.layers["query revsam2"]
    ran.scores.next.click()
    layer.data_setitem((np.array([6]), np.array([0]), np.array([0])), DARK)
    assert 6 in ran.controller.state.selected[DARK]
    ran.scores.again.click()
    qtbot.waitUntil(lambda: not ran.controller.state.phase.is_active)
    assert ran.controller.state.phase is Phase.COMPLETED
    assert layer.data[6, 0, 0] == DARK
    assert len(network.embedded) == embedded


def test_all_conditional_masks_wiped_propagate_again_says_so_and_changes_nothing(ran, viewer, qtbot):
    layer = viewer.layers["query revsam2"]
    layer.data_setitem(np.nonzero(layer.data), 0)
    ran.scores.again.click()
    qtbot.waitUntil(lambda: not ran.controller.state.phase.is_active)
    assert ran.controller.state.phase is Phase.FAILED
    assert "No conditional slice" in ran.form.run_bar.text.text()
    assert not layer.data.any()


def test_taken_out_of_its_dock_the_widget_ends_its_run(widget, qtbot, network):
    dock = QWidget()
    qtbot.addWidget(dock)
    widget.setParent(dock)
    network.hold()
    widget.form.run_bar.button.click()
    network.let_go()
    widget.setParent(None)
    assert widget.controller.state.phase in (Phase.CANCELED, Phase.COMPLETED)


def test_closed_the_viewer_calls_nothing_of_it(ran, viewer):
    ran.close()
    viewer.dims.set_point(0, 3)
    viewer.layers.clear()


def test_dropped_without_being_closed_the_widget_ends_its_thread(viewer, network, qtbot):
    widget = RevSAM2Widget(viewer, KeptNetwork(lambda config: StoredEmbeddings(network)))
    thread = widget.controller._thread
    thread.start()
    qtbot.waitUntil(thread.isRunning)
    ended = []
    thread.finished.connect(lambda: ended.append(True))
    del widget, thread
    gc.collect()
    qtbot.waitUntil(lambda: ended == [True])


def test_no_layer_and_no_widget_lives_on_when_the_one_is_removed_and_the_other_closed(viewer, network, qtbot):
    image, labels = paint((5, 10, 12))
    viewer.layers.insert(0, Image(image, name="support", scale=(2, 1, 1)))
    viewer.add_labels(labels, name="support labels", scale=(2, 1, 1))

    def run_and_close() -> list[weakref.ref]:
        widget = RevSAM2Widget(viewer, KeptNetwork(lambda config: StoredEmbeddings(network)))
        qtbot.waitUntil(lambda: widget.form.run_bar.button.isEnabled())
        widget.form.run_bar.button.click()
        qtbot.waitUntil(lambda: not widget.controller.state.phase.is_active, timeout=10_000)
        widget.close()
        widget.deleteLater()
        return [weakref.ref(thing) for thing in (*viewer.layers, widget)]

    references = run_and_close()
    viewer.layers.clear()
    viewer.layers.selection.active = viewer.add_points()  # napari remembers the last active one
    for _ in range(3):  # what one deletes may delete another
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
    assert [reference() for reference in references] == [None] * 5
