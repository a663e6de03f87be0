"""The layer that a run fills."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_revsam2.plugin.layers.layer_slices import slices_of
from napari_revsam2.plugin.run.result_layer import ResultLayer


@pytest.fixture
def query(viewer) -> Image:
    return viewer.layers["query"]


@pytest.fixture
def result(viewer, query) -> ResultLayer:
    """The result of slices 2 to 5."""
    return ResultLayer.added_to(viewer.layers, query, slices_of(query, 0, span=(2, 6)), 5)


def block(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((14, 13), bool)
    mask[rows, columns] = True
    return mask


def test_it_is_added_above_the_query_empty_in_its_place(viewer, query, result):
    layer = result.layer
    assert viewer.layers[-1] is layer
    assert (layer.name, layer.data.shape) == ("query revsam2", query.data.shape)
    assert not layer.data.any()
    np.testing.assert_array_equal(layer.scale, query.scale)


@pytest.mark.parametrize(("largest", "dtype"), [(5, np.uint8), (255, np.uint8), (256, np.uint16), (70_000, np.uint32)])
def test_it_holds_the_largest_class(viewer, query, largest, dtype):
    assert ResultLayer.added_to(viewer.layers, query, slices_of(query, 0), largest).layer.data.dtype == dtype


def test_of_a_time_series_it_is_one_volume_where_the_viewer_stood(viewer):
    query = viewer.add_image(np.zeros((3, 8, 14, 13)), scale=(2, 3, 1, 1), translate=(10, 0, 0, 0))
    layer = ResultLayer.added_to(viewer.layers, query, slices_of(query, -3, point=(1, 0, 0, 0)), 5).layer
    assert layer.data.shape == (1, 8, 14, 13)
    np.testing.assert_array_equal(layer.data_to_world((0, 4, 2, 2)), query.data_to_world((1, 4, 2, 2)))


def test_a_mask_is_written_to_its_slice_and_takes_no_voxel_from_another_class(result):
    result.write_mask(1, 5, block(slice(0, 4), slice(0, 4)))
    result.write_mask(1, 3, block(slice(2, 6), slice(0, 4)))
    plane = result.layer.data[2 + 1]
    assert (plane[:4, :4] == 5).all()
    assert (plane[4:6, :4] == 3).all()
    assert np.count_nonzero(result.layer.data) == 6 * 4


def test_a_mask_replaces_the_same_classs_earlier_one(result):
    result.write_mask(0, 5, block(slice(0, 4), slice(0, 4)))
    result.write_mask(0, 5, block(slice(8, 9), slice(0, 4)))
    np.testing.assert_array_equal(result.plane(0) == 5, block(slice(8, 9), slice(0, 4)))


def test_settled_masks_replace_only_their_classes(result):
    result.write_mask(0, 3, block(slice(0, 2), slice(0, 13)))
    result.write_mask(0, 5, block(slice(4, 6), slice(0, 13)))
    settled = np.zeros((4, 14, 13), np.uint8)
    settled[0, 8:10] = 5
    result.write_all(settled, [5])
    expected = np.zeros((14, 13))
    expected[0:2], expected[8:10] = 3, 5
    np.testing.assert_array_equal(result.plane(0), expected)
    np.testing.assert_array_equal(result.segmentation()[0], expected)


def test_masks_are_copies_by_query_index(result):
    result.write_mask(3, 5, block(slice(0, 4), slice(0, 4)))
    masks = result.masks(5, (0, 3))
    result.layer.data[:] = 0
    assert not masks[0].any()
    assert masks[3].sum() == 16


def test_locked_no_brush_paints(result):
    result.layer.mode = "paint"
    result.lock(True)
    assert (result.layer.mode, result.layer.editable) == ("pan_zoom", False)
    result.lock(False)
    assert result.layer.editable


def test_data_of_another_shape_does_not_fit(result):
    assert result.fits
    result.layer.data = np.zeros((3, 4, 5), np.uint8)
    assert not result.fits


def test_it_is_drawn_once_for_all_that_was_written(result):
    drawn = []
    result.layer.events.set_data.connect(lambda event: drawn.append(True))
    result.write_mask(0, 5, block(slice(0, 4), slice(0, 4)))
    result.write_mask(1, 5, block(slice(0, 4), slice(0, 4)))
    result.refresh()
    result.refresh()
    assert len(drawn) == 1


@pytest.mark.parametrize(
    ("where", "old", "new", "edits"),
    [
        ((np.array([3, 3]), np.array([0, 1]), np.array([0, 0])), 0, 5, {1: {5}}),
        ((np.array([2, 5]), np.array([0, 1]), np.array([0, 0])), 3, 5, {0: {3, 5}, 3: {3, 5}}),
        ((np.array([0, 7]), np.array([0, 1]), np.array([0, 0])), 0, 5, {}),
        ((slice(1, 4), slice(0, 2), slice(0, 2)), 3, 0, {0: {3}, 1: {3}}),
        ((4, slice(None), slice(None)), 0, 5, {2: {5}}),
    ],
    ids=["a slice", "two slices, over another class", "outside the range", "an eraser's block", "a whole plane"],
)
def test_a_stroke_says_which_query_slices_it_changed_and_for_which_classes(result, where, old, new, edits):
    assert result.edits([(where, np.array([old]), np.array([new]))]) == edits
