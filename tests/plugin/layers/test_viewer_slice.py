"""Which slice the viewer shows, and showing another."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_revsam2.plugin.layers.metadata import BODY_AXES
from napari_revsam2.plugin.layers.viewer_slice import show_slice, shown_point, shown_slice

DATA = np.zeros((4, 5, 6))


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    return ViewerModel()


def test_the_slice_that_is_asked_for_is_shown(viewer):
    layer = viewer.add_image(DATA, scale=(3, 1, 1), translate=(7, 0, 0))
    for index in range(4):
        show_slice(viewer, layer, 0, index)
        assert shown_slice(viewer, layer, 0) == index
        assert shown_point(viewer, layer)[0] == index


def test_an_axis_without_a_slider_gets_one(viewer):
    layer = viewer.add_image(DATA)
    viewer.dims.ndisplay = 3
    show_slice(viewer, layer, 2, 4)
    assert viewer.dims.order[0] == 2
    assert viewer.dims.ndisplay == 2
    assert shown_slice(viewer, layer, 2) == 4


def test_coronal_slices_of_a_volume_that_was_read_go_by_their_number_in_the_file(viewer):
    layer = viewer.add_image(DATA, axis_labels=BODY_AXES, scale=(3, 2, 2))
    show_slice(viewer, layer, 1, 1)
    assert shown_point(viewer, layer)[1] == 3
    assert shown_slice(viewer, layer, 1) == 1


def test_a_position_outside_the_layer_is_moved_into_it(viewer):
    layer = viewer.add_image([DATA, DATA[:, ::2, ::2]], multiscale=True)
    viewer.add_image(np.zeros((20, 5, 6)))
    viewer.dims.set_point(0, 15)
    assert shown_slice(viewer, layer, 0) == 15
    assert shown_point(viewer, layer)[0] == 3
