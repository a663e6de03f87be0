"""From layers and settings to a request, with a sentence for what can't work."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QComboBox

from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError
from tests.engine.conftest import BRIGHT, DARK, paint

from .conftest import add_pair, choose_axis, choose_pairs, sentence, shown_pairs

# The sample data: Run is all that is left.


def test_after_opening_pairs_and_a_query_run_is_the_next_click(qtbot, sample, viewer):
    assert sentence(sample) == ""
    with qtbot.waitSignal(sample.run_requested) as run:
        qtbot.mouseClick(sample.run_bar.button, Qt.MouseButton.LeftButton)
    (request,) = run.args
    assert request.query_layer is viewer.layers["new patient"]
    assert {support.volume for support in request.supports.slices} == {0, 1}
    assert request.labels == (BRIGHT, DARK)


def test_layers_that_are_there_already_are_found(qtbot, viewer, stored):
    add_pair(viewer, "subject")
    viewer.add_image(paint((8, 14, 13))[0], name="new patient")
    form = InputForm(viewer, stored)
    qtbot.addWidget(form)
    assert shown_pairs(form) == [("subject", "subject labels")]
    assert form.inputs.query.name == "new patient"


# What can't work is said before the click.


def test_without_an_image_it_says_how_to_open_one(form):
    assert "There is no image: drop a volume into napari" in sentence(form)
    assert not form.run_bar.button.isEnabled()


def test_without_labels_it_points_to_the_button(viewer, form):
    viewer.add_image(np.zeros((5, 10, 12)), name="scan")
    assert sentence(form) == "'scan' has no labels yet: choose some, or click 'New labels'."


def test_with_nothing_painted_it_says_where_to_paint(viewer, form, settled):
    viewer.add_image(np.zeros((5, 10, 12)), name="scan")
    viewer.add_labels(np.zeros((5, 10, 12), np.uint8), name="scan labels")
    assert "Nothing is painted: paint what you look for on one or more slices of 'scan labels'" in sentence(settled())


def test_labels_of_another_shape_are_named(viewer, form):
    viewer.add_image(np.zeros((5, 10, 12)), name="scan")
    viewer.add_labels(np.zeros((5, 10, 11), np.uint8), name="scan labels")
    assert "'scan labels' have 5 x 10 x 11 voxels and their image 'scan' has 5 x 10 x 12" in sentence(form)


def test_a_single_image_is_no_support(viewer, form):
    viewer.add_image(np.zeros((10, 12)), name="flat")
    viewer.add_labels(np.zeros((10, 12), np.uint8), name="flat labels")
    assert "'flat' is a single image" in sentence(form)


def test_a_single_image_is_no_query(sample, viewer):
    viewer.add_image(np.zeros((10, 12)), name="flat")
    assert "'flat' is a single image" in sentence(sample)


def test_supports_without_the_query_s_axis_are_named(sample, viewer):
    viewer.add_image(np.zeros((3, 8, 14, 13)), name="series")
    choose_axis(sample, -4)
    assert "'subject 0' has no axis -4: it has 3 axes" in sentence(sample)


def test_an_empty_range_is_refused(sample):
    sample.query.first.setValue(6)
    sample.query.last.setValue(2)
    assert sentence(sample) == "The range of slices is empty: the first one (6) is after the last (2)."
    assert not sample.run_bar.button.isEnabled()


def test_labels_in_two_pairs_are_refused(sample, viewer):
    choose_pairs(sample, [(viewer.layers["subject 0"], viewer.layers["subject 0 labels"])] * 2)
    assert "'subject 0 labels' are in two support pairs" in sentence(sample)


def test_labels_without_an_image_are_refused(sample, viewer):
    sample.pairs.rows[1].image._combo.value = None
    assert "'subject 1 labels' has no image" in sentence(sample)


def test_all_slices_unchecked_are_refused(sample):
    for number in range(2):
        sample.supports.tree.topLevelItem(number).setCheckState(0, Qt.CheckState.Unchecked)
    assert "All painted slices are unchecked" in sentence(sample)


def test_wrong_settings_are_refused(sample):
    sample.settings.fields["window"].percentiles[0].setValue(99.9)
    assert "percentile:LOW,HIGH" in sentence(sample)


def test_while_a_big_volume_is_being_looked_at_it_asks_to_wait(viewer, form):
    add_pair(viewer, "subject")
    with pytest.raises(ProblemError, match="still being looked for"):
        form.request()


def test_a_problem_that_is_mended_is_gone(sample):
    sample.query.first.setValue(6)
    sample.query.last.setValue(2)
    sample.query.last.setValue(7)
    assert sentence(sample) == ""
    assert sample.run_bar.button.isEnabled()


# Run, Cancel and what is said meanwhile.


def test_while_a_run_goes_on_the_button_cancels(qtbot, sample):
    sample.run_bar.set_running(True)
    assert sample.run_bar.button.text() == "Cancel"
    with qtbot.waitSignal(sample.run_bar.cancel_clicked), qtbot.assertNotEmitted(sample.run_requested):
        qtbot.mouseClick(sample.run_bar.button, Qt.MouseButton.LeftButton)
    sample.run_bar.set_running(False)
    assert sample.run_bar.button.text() == "Run"


def test_a_run_can_be_canceled_whatever_is_wrong_with_the_form(sample, viewer):
    sample.run_bar.set_running(True)
    viewer.layers.clear()
    assert sample.run_bar.button.isEnabled()
    sample.run_bar.set_running(False)
    assert not sample.run_bar.button.isEnabled()


def test_progress_is_shown_while_a_run_goes_on(sample):
    sample.run_bar.set_running(True)
    sample.run_bar.set_progress("forward, slice 3 of 8", 3, 8)
    bar = sample.run_bar.progress
    assert (bar.value(), bar.maximum(), bar.isHidden()) == (3, 8, False)
    assert sentence(sample) == "forward, slice 3 of 8"
    sample.run_bar.set_running(False)
    assert bar.isHidden()


def test_a_message_stays_until_the_next_run(sample):
    sample.run_bar.set_running(True)
    sample.run_bar.set_running(False)
    sample.run_bar.show_message("The memory isn't enough.")
    sample.settings.top_k.box.setValue(2)
    assert sentence(sample) == "The memory isn't enough."
    sample.run_bar.set_running(True)
    assert sentence(sample) == ""


def test_settings_are_stored_but_neither_layers_nor_slices(sample, stored):
    sample.settings.top_k.box.setValue(2)
    stored.sync()
    assert set(stored.allKeys()) == {option.name for option in fields(RevSAM2Config)}


# The wheel.


def test_the_wheel_scrolls_the_form_and_changes_no_field(qtbot, sample):
    sample.pairs.add.click()  # a row that comes later
    before = sample.inputs, [row.layers for row in sample.pairs.rows]
    fields = [field for kind in (QComboBox, QAbstractSpinBox) for field in sample.findChildren(kind)]
    assert len(fields) > 15
    for field in fields:
        for turn in (-120, 120, 120):
            place = QPointF(field.rect().center())
            event = QWheelEvent(
                place, field.mapToGlobal(place), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(field, event)
            assert (sample.inputs, [row.layers for row in sample.pairs.rows]) == before, field.toolTip()


def test_the_button_stays_where_it_is_while_a_run_tells_its_progress(qtbot, form):
    bar = form.run_bar
    form.resize(400, 500)
    form.show()
    qtbot.waitExposed(form)
    places = []
    for text in ("Loading the model ...", "Reverse propagation, class 1: 3 of 34, about 30 s left in this stage"):
        bar.set_running(True)
        bar.set_progress(text, 3, 34)
        qtbot.wait(20)
        places.append(bar.button.mapTo(form, bar.button.rect().topLeft()))
    bar.set_running(False)
    bar.show_message("Done.")
    qtbot.wait(20)
    places.append(bar.button.mapTo(form, bar.button.rect().topLeft()))
    form.close()
    assert places[0] == places[1] == places[2]
