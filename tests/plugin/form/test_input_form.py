"""From layers and settings to a request, with a sentence for what can't work."""

from __future__ import annotations

from dataclasses import fields

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QComboBox

from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError
from tests.engine.conftest import BRIGHT, DARK, paint

from .conftest import add_pair, sentence, shown_pairs

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


def test_an_empty_range_is_refused(sample):
    sample.query.first.setValue(6)
    sample.query.last.setValue(2)
    assert sentence(sample) == "The range of slices is empty: the first one (6) is after the last (2)."
    assert not sample.run_bar.button.isEnabled()


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
