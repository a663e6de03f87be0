"""Images and labels that belong together, and new labels for an image."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_revsam2.plugin.layers.pairing import add_labels_for, pairs_by_name, query_by_name

SHAPE = (6, 40, 100)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


def image(name: str) -> Image:
    return Image(np.zeros(SHAPE), name=name)


def labels(name: str) -> Labels:
    return Labels(np.zeros(SHAPE, np.uint8), name=name)


def test_an_image_and_the_labels_of_its_name_are_a_pair():
    a, b, a_labels = image("a"), image("b"), labels("a labels")
    assert pairs_by_name([a_labels, a, b, labels("c labels")]) == [(a, a_labels)]


def test_the_query_is_the_topmost_image_without_labels():
    a, b, c = image("a"), image("b"), image("c")
    assert query_by_name([a, b, c, labels("c labels")]) is b


def test_with_labels_on_all_images_the_query_is_the_topmost():
    a, b = image("a"), image("b")
    assert query_by_name([a, labels("a labels"), b, labels("b labels")]) is b


def test_without_images_there_is_no_query():
    assert query_by_name([labels("a labels")]) is None


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_new_labels_lie_where_the_image_lies(viewer):
    transforms = {
        "scale": (3, 1, 0.5),
        "translate": (7, 8, 9),
        "rotate": (10, 20, 30),
        "shear": (0.1, 0.2, 0.3),
        "affine": np.diag([1, 2, 1, 1]) + np.eye(4, k=3),
        "units": ("mm", "mm", "mm"),
        "axis_labels": ("z", "y", "x"),
    }
    scan = viewer.add_image(np.zeros(SHAPE), name="scan", **transforms)
    made = add_labels_for(viewer, scan)
    corners = [(0, 0, 0), (5, 0, 0), (0, 39, 0), (0, 0, 99), (5, 39, 99)]
    np.testing.assert_allclose([made.data_to_world(c) for c in corners], [scan.data_to_world(c) for c in corners])
    assert made.units == scan.units
    assert made.axis_labels == scan.axis_labels


def test_new_labels_are_ready_to_paint_on(viewer):
    made = add_labels_for(viewer, viewer.add_image(np.zeros(SHAPE), name="scan"))
    assert (made.name, made.mode, viewer.layers.selection.active) == ("scan labels", "paint", made)
    assert made.data.shape == SHAPE
    assert not made.data.any()


@pytest.mark.parametrize(("shape", "size"), [((6, 512, 600), 15), ((6, 40, 50), 2)])
def test_the_brush_fits_the_slices(viewer, shape, size):
    assert add_labels_for(viewer, viewer.add_image(np.zeros(shape))).brush_size == size


def test_new_labels_bring_the_viewer_back_from_3d_where_nothing_can_be_painted(viewer):
    scan = viewer.add_image(np.zeros(SHAPE))
    viewer.dims.ndisplay = 3
    add_labels_for(viewer, scan)
    assert viewer.dims.ndisplay == 2


def test_new_labels_of_a_colour_image_have_no_colour_axis(viewer):
    scan = viewer.add_image(np.zeros((*SHAPE, 3), np.uint8), rgb=True)
    assert add_labels_for(viewer, scan).data.shape == SHAPE


def test_new_labels_of_a_multiscale_image_have_its_full_resolution(viewer):
    scan = viewer.add_image([np.zeros(SHAPE), np.zeros((6, 20, 50))], multiscale=True)
    assert add_labels_for(viewer, scan).data.shape == SHAPE


def test_new_labels_keep_the_grid_of_the_file(viewer):
    scan = viewer.add_image(np.zeros(SHAPE), metadata={"volume": "the grid"})
    assert add_labels_for(viewer, scan).metadata["volume"] == "the grid"
