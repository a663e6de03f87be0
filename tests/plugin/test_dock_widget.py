"""The whole widget on a viewer without a window: what reaches what."""

from __future__ import annotations

import csv
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget

from napari_revsam2.plugin.dock_widget import RevSAM2Widget
from napari_revsam2.plugin.files.session import kept_supports
from napari_revsam2.plugin.files.session_file import load_session, save_session, save_supports
from napari_revsam2.plugin.files.volume_reader import read_layer
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from tests.engine.conftest import BRIGHT, DARK, paint

from .conftest import TRUTH, assert_is_truth


@pytest.fixture
def widget(qtbot, viewer, network):
    """The widget with a painted support and the query."""
    image, labels = paint((5, 10, 12))
    labels[3:] = 0
    viewer.layers.insert(0, _image(image))
    viewer.add_labels(labels, name="support labels", scale=(2, 1, 1))
    widget = RevSAM2Widget(viewer, KeptNetwork(lambda config: StoredEmbeddings(network)))
    qtbot.addWidget(widget)
    qtbot.waitUntil(lambda: widget.form.run_bar.button.isEnabled())
    yield widget
    widget.close()


def _image(data: np.ndarray):
    from napari.layers import Image

    return Image(data, name="support", scale=(2, 1, 1))


@pytest.fixture
def ran(widget, qtbot):
    """The widget after a click on Run."""
    widget.form.run_bar.button.click()
    qtbot.waitUntil(lambda: not widget.controller.state.phase.is_active, timeout=10_000)
    assert widget.controller.state.phase is Phase.COMPLETED
    return widget


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


def test_scores_are_saved_with_a_row_for_each_class_and_slice(ran, tmp_path):
    assert ran.sessions.save_scores(tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 8
    chosen = [int(row["slice"]) for row in rows if row["label"] == str(BRIGHT) and row["selected"] == "1"]
    assert tuple(chosen) == ran.controller.state.selected[BRIGHT]


def test_scores_that_cannot_be_saved_are_said_in_words(ran, tmp_path):
    assert not ran.sessions.save_scores(tmp_path / "nowhere" / "scores.csv")
    assert "nowhere" in ran.form.run_bar.text.text()


def test_the_result_is_saved_from_the_menu_as_the_name_says(ran, tmp_path):
    assert ran.sessions.save_result(tmp_path / "mask.nii.gz"), ran.form.run_bar.text.text()
    np.testing.assert_array_equal(read_layer(tmp_path / "mask.nii.gz")[0], TRUTH)
    assert not ran.sessions.save_result(tmp_path / "mask.png")
    assert "mask.png" in ran.form.run_bar.text.text()


def test_without_a_result_there_is_nothing_to_save(widget, tmp_path):
    assert not widget.sessions.save_result(tmp_path / "mask.nii.gz")
    assert "run first" in widget.form.run_bar.text.text()


@pytest.mark.parametrize(("what", "ending"), [("session", "npz"), ("scores", "csv"), ("result", "nii.gz")])
def test_a_name_typed_without_its_ending_gets_it(ran, qtbot, tmp_path, what, ending):
    def type_a_name() -> None:
        dialog = ran.sessions.findChild(QFileDialog)
        dialog.findChild(QLineEdit).setText(str(tmp_path / "monday"))
        dialog.accept()

    QTimer.singleShot(0, type_a_name)
    getattr(ran.sessions, f"ask_and_save_{what}")()
    assert [path.name for path in tmp_path.glob("monday*")] == [f"monday.{ending}"]


def test_a_session_brings_the_units_back(ran, viewer, tmp_path):
    for layer in viewer.layers:
        layer.units = ("mm",) * 3
    assert ran.sessions.save_session(tmp_path / "s.npz")
    assert ran.sessions.load_session(tmp_path / "s.npz")
    assert {str(unit) for layer in viewer.layers for unit in layer.units} == {"millimeter"}


@pytest.mark.parametrize("damage", [{"scale": (0.0, 1.0, 1.0)}, {"units": ("mm", "mm", "patient")}])
def test_painted_slices_that_cannot_be_shown_are_refused_in_words(ran, viewer, tmp_path, damage):
    good = kept_supports(ran.form)[0]
    save_supports(tmp_path / "p.npz", [good, replace(good, **damage)])
    before = list(viewer.layers)
    assert not ran.sessions.load_supports(tmp_path / "p.npz")
    assert "can't be read" in ran.form.run_bar.text.text()
    assert list(viewer.layers) == before


def test_a_session_brings_supports_choices_scores_and_result_back(ran, viewer, qtbot, network, tmp_path):
    ran.form.settings.top_k.value = 3
    selected, scores = ran.controller.state.selected, ran.controller.state.scores
    assert ran.sessions.save_session(tmp_path / "s.npz"), ran.form.run_bar.text.text()
    ran.close()
    for layer in [layer for layer in viewer.layers if layer.name != "query"]:
        viewer.layers.remove(layer)
    other = RevSAM2Widget(viewer, KeptNetwork(lambda config: StoredEmbeddings(network)))
    qtbot.addWidget(other)
    assert other.sessions.load_session(tmp_path / "s.npz"), other.form.run_bar.text.text()
    assert_is_truth(viewer.layers["query revsam2"].data)
    assert dict(other.controller.state.selected) == dict(selected)
    np.testing.assert_array_equal(other.controller.state.scores[BRIGHT], scores[BRIGHT])
    assert other.form.settings.top_k.value == 3
    other.scores.again.click()
    qtbot.waitUntil(lambda: not other.controller.state.phase.is_active)
    assert other.controller.state.phase is Phase.COMPLETED
    other.close()


@pytest.mark.parametrize(
    "damage",
    [
        {"result_transforms": {"scale": "wide"}},
        {"result_transforms": {"opacity_of": 1}},
        {"result": np.zeros((2, 3, 3))},
        {"provenance": {"scores": {"1": [0.5]}}},
        {"provenance": {"scores": [1]}},
        {"provenance": {"selected": {"1": [99]}}},
        {"provenance": {"selected": {"one": [0]}}},
        {"choices": {}},
        {"choices": {"axis": 0}},
    ],
)
def test_a_session_that_was_tampered_with_is_refused_in_words(ran, tmp_path, damage):
    assert ran.sessions.save_session(tmp_path / "s.npz")
    session = load_session(tmp_path / "s.npz")
    save_session(tmp_path / "s.npz", replace(session, **damage))
    assert not ran.sessions.load_session(tmp_path / "s.npz")
    assert "can't be read" in ran.form.run_bar.text.text()


def test_a_session_cut_along_another_axis_brings_the_same_slices_back(widget, viewer, qtbot, tmp_path):
    viewer.layers["support labels"].data[:, 4:] = 0
    viewer.layers["support labels"].refresh()
    widget.form.query.axis = -2
    qtbot.waitUntil(lambda: all(each.is_complete for each in widget.form.supports.annotated))
    before = widget.form.supports.annotated[0]
    slices = [before.image_slices[i] for i in before.voxels]
    assert widget.sessions.save_session(tmp_path / "s.npz"), widget.form.run_bar.text.text()
    widget.form.query.axis = -3
    assert widget.sessions.load_session(tmp_path / "s.npz"), widget.form.run_bar.text.text()
    assert widget.form.axis == -2
    after = widget.form.supports.annotated[0]
    assert len(after.image_slices) == len(slices) > 0
    for index, plane in enumerate(slices):
        np.testing.assert_array_equal(after.image_slices[index], plane)
    np.testing.assert_allclose(after.image.scale, (2, 1, 1))


def test_all_conditional_masks_wiped_propagate_again_says_so_and_changes_nothing(ran, viewer, qtbot):
    layer = viewer.layers["query revsam2"]
    layer.data_setitem(np.nonzero(layer.data), 0)
    ran.scores.again.click()
    qtbot.waitUntil(lambda: not ran.controller.state.phase.is_active)
    assert ran.controller.state.phase is Phase.FAILED
    assert "No conditional slice" in ran.form.run_bar.text.text()
    assert not layer.data.any()


def test_a_session_without_its_query_says_which_image_to_open(ran, viewer, tmp_path):
    assert ran.sessions.save_session(tmp_path / "s.npz")
    viewer.layers.remove("query")
    assert ran.sessions.load_session(tmp_path / "s.npz")
    assert "'query'" in ran.form.run_bar.text.text()


def test_painted_slices_saved_for_the_next_patient_become_supports(ran, viewer, qtbot, tmp_path):
    assert ran.sessions.save_supports(tmp_path / "p.npz")
    viewer.layers.remove("support")
    viewer.layers.remove("support labels")
    assert ran.sessions.load_supports(tmp_path / "p.npz")
    qtbot.waitUntil(lambda: ran.form.run_bar.button.isEnabled())
    ran.form.run_bar.button.click()
    qtbot.waitUntil(lambda: not ran.controller.state.phase.is_active)
    assert_is_truth(viewer.layers["query revsam2 [1]"].data)


def test_a_file_that_is_no_session_changes_nothing(widget, viewer, tmp_path):
    (tmp_path / "s.npz").write_text("no")
    before = list(viewer.layers)
    assert not widget.sessions.load_session(tmp_path / "s.npz")
    assert list(viewer.layers) == before
    assert "s.npz" in widget.form.run_bar.text.text()


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


def test_no_layer_and_no_widget_lives_on_when_the_one_is_removed_and_the_other_closed(viewer, network, qtbot):
    image, labels = paint((5, 10, 12))
    viewer.layers.insert(0, _image(image))
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
