"""The rows of support pairs."""

from __future__ import annotations

from qtpy.QtCore import Qt

from tests.plugin.form.conftest import add_pair, sentence, shown_pairs


def test_a_pair_can_be_removed_and_another_added(qtbot, sample, viewer, settled):
    qtbot.mouseClick(sample.pairs.rows[0].remove, Qt.MouseButton.LeftButton)
    assert [image for image, _ in shown_pairs(sample)] == ["subject 1"]
    qtbot.mouseClick(sample.pairs.add, Qt.MouseButton.LeftButton)
    row = sample.pairs.rows[-1]
    row.image._combo.value = viewer.layers["subject 0"]
    row.labels._combo.value = viewer.layers["subject 0 labels"]
    assert [image for image, _ in shown_pairs(settled())] == ["subject 1", "subject 0"]
    assert sentence(sample) == ""


def test_an_empty_row_waits_for_its_layers(qtbot, sample, viewer):
    qtbot.mouseClick(sample.pairs.add, Qt.MouseButton.LeftButton)
    add_pair(viewer, "subject 2")
    assert len(sample.pairs.rows) == 3
    assert sentence(sample) == ""


def test_new_labels_go_to_the_row_whose_button_was_clicked(qtbot, sample, viewer):
    qtbot.mouseClick(sample.pairs.add, Qt.MouseButton.LeftButton)
    row = sample.pairs.rows[-1]
    row.image._combo.value = viewer.layers["new patient"]
    qtbot.mouseClick(row.new_labels, Qt.MouseButton.LeftButton)
    assert row.layers == (viewer.layers["new patient"], viewer.layers["new patient labels"])
