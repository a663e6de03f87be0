"""Pairs and query follow the viewer's layers, and the brush."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

from tests.engine.conftest import paint

from .conftest import add_pair, choose_pairs, sentence, shown_pairs

# Pairs and query follow the viewer.


def test_the_result_of_a_run_and_other_labels_are_no_pair(sample, viewer):
    viewer.add_labels(np.zeros((8, 14, 13), np.uint8), name="new patient revsam2")
    assert len(shown_pairs(sample)) == 2
    assert sample.inputs.query.name == "new patient"


def test_labels_renamed_to_fit_become_a_pair(viewer, form):
    image, labels = add_pair(viewer, "subject")
    image.name = "scan"
    assert shown_pairs(form) == []
    labels.name = "scan labels"
    assert shown_pairs(form) == [("scan", "scan labels")]


def test_chosen_layers_stay_chosen_when_they_are_renamed(sample, viewer):
    choose_pairs(sample, sample.inputs.complete_pairs)
    viewer.layers["subject 1"].name = "somebody else"
    viewer.layers["new patient"].name = "query"
    assert shown_pairs(sample) == [("subject 0", "subject 0 labels"), ("somebody else", "subject 1 labels")]
    assert sample.inputs.query.name == "query"
    assert sentence(sample) == ""


def test_all_layers_can_go_and_others_come(sample, viewer, settled):
    choose_pairs(sample, sample.inputs.complete_pairs)
    viewer.layers.clear()
    assert "There is no image" in sentence(sample)
    add_pair(viewer, "next")
    assert shown_pairs(settled()) == [("next", "next labels")]
    assert sentence(sample) == ""


def test_a_layer_with_other_data_is_looked_at_again(sample, viewer, settled):
    viewer.layers["subject 0"].data, viewer.layers["subject 0 labels"].data = paint((9, 6, 7))
    assert len(settled().supports.annotated[0].painted.voxels) == 8
    assert sentence(sample) == ""


# Painting.


def test_from_two_images_to_a_request_by_painting(qtbot, viewer, form, settled):
    viewer.add_image(paint((5, 10, 12))[0], name="subject")
    viewer.add_image(paint((8, 14, 13))[0], name="new patient")
    qtbot.mouseClick(form.pairs.rows[0].new_labels, Qt.MouseButton.LeftButton)
    labels = viewer.layers["subject labels"]
    assert labels.mode == "paint"
    assert form.inputs.query.name == "new patient"
    for index in (1, 3):
        labels.paint((index, 4, 4), 1)
    request = settled().request()
    assert [(s.volume, s.index) for s in request.supports.slices] == [(0, 1), (0, 3)]
    qtbot.waitUntil(form.run_bar.button.isEnabled)


def test_a_stroke_just_before_the_click_counts(sample, viewer):
    labels = viewer.layers["subject 0 labels"]
    labels.brush_size = 1
    labels.paint((0, 5, 5), 9)
    assert 9 in sample.request().labels


def test_n_follows_the_painted_slices(viewer, form, settled):
    add_pair(viewer, "subject", (4, 10, 12))
    assert settled().settings.n_support.box.text() == "3 of 3"
    assert form.request().config.n_support == 3


def test_k_follows_the_range(sample):
    sample.query.last.setValue(3)
    assert sample.request().config.top_k == 4
