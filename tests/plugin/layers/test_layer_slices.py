"""A layer as a stack of slices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_revsam2.plugin.layers.layer_slices import slices_of
from napari_revsam2.plugin.layers.metadata import BODY_AXES
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.volume_files import from_slices, new_volume

VOLUME = np.arange(4 * 5 * 6).reshape(4, 5, 6)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_slices_are_cut_along_the_axis(axis):
    slices = slices_of(Image(VOLUME), axis)
    assert len(slices) == VOLUME.shape[axis]
    for index, plane in enumerate(slices):
        np.testing.assert_array_equal(plane, VOLUME.take(index, axis))


def test_a_range_is_counted_from_its_first_slice():
    slices = slices_of(Image(VOLUME), 0, span=(1, 3))
    assert len(slices) == 2
    np.testing.assert_array_equal(slices[0], VOLUME[1])
    with pytest.raises(IndexError):
        slices[2]


def test_the_point_decides_on_axes_outside_the_plane():
    series = np.arange(3 * 4 * 5 * 6).reshape(3, 4, 5, 6)
    slices = slices_of(Image(series), -3, point=(2, 0, 0, 0))
    assert slices.fixed_axes == (0,)
    np.testing.assert_array_equal(slices[1], series[2, 1])


def test_slices_along_time_lie_in_the_last_two_axes():
    series = np.arange(3 * 4 * 5 * 6).reshape(3, 4, 5, 6)
    np.testing.assert_array_equal(slices_of(Image(series), 0, point=(0, 3, 0, 0))[2], series[2, 3])


def test_a_slice_can_be_written_where_it_was_read():
    labels = np.zeros((3, 4, 5, 6), np.uint8)
    slices = slices_of(Labels(labels), 1, point=(2, 0, 0, 0))
    labels[slices.where(3)] = 7
    assert (labels[2, 3] == 7).all()
    assert labels.sum() == 7 * 5 * 6


def test_a_result_without_the_other_times_is_written_at_zero():
    slices = slices_of(Image(np.zeros((3, 4, 5, 6))), 1, point=(2, 0, 0, 0), span=(1, 4))
    assert slices.where(0, fixed=(0, 0, 0, 0)) == (0, 1, slice(None), slice(None))


def test_colours_become_luminance():
    colours = np.zeros((4, 5, 6, 3), np.uint8)
    colours[..., 1] = 100
    slices = slices_of(Image(colours, rgb=True), 0)
    assert slices.slice_shape == (5, 6)
    np.testing.assert_allclose(slices[0], np.full((5, 6), 71.52), rtol=1e-5)


def test_transparency_does_not_count():
    colours = np.zeros((4, 5, 6, 4), np.uint8)
    colours[..., 3] = 255
    assert not slices_of(Image(colours, rgb=True), 0)[0].any()


def test_multiscale_is_read_at_full_resolution():
    layer = Image([VOLUME, VOLUME[:, ::2, ::2]], multiscale=True)
    np.testing.assert_array_equal(slices_of(layer, 0)[2], VOLUME[2])


def test_a_lazy_array_is_read_one_slice_at_a_time():
    read = []

    def block(block_info):
        read.append(block_info[None]["chunk-location"][0])
        return np.zeros((1, 5, 6))

    lazy = da.map_blocks(block, chunks=((1,) * 4, (5,), (6,)), dtype=float, meta=np.zeros((0, 0, 0)))
    slices = slices_of(Image(lazy, contrast_limits=(0, 1), cache=False), 0)
    read.clear()
    assert slices[2].shape == slices.slice_shape == (5, 6)
    assert read == [2]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_slice_that_is_not_finite_is_refused_by_its_number(value):
    volume = VOLUME.astype(np.float32)
    volume[2, 1, 1] = value
    slices = slices_of(Image(volume, contrast_limits=(0, 1)), 0, span=(1, 4))
    assert slices[0].shape == (5, 6)
    with pytest.raises(ProblemError, match="Slice 2 has NaN or infinite voxels"):
        slices[1]


def test_a_single_image_is_refused():
    with pytest.raises(ProblemError, match="'flat' is a single image"):
        slices_of(Image(np.zeros((5, 6)), name="flat"), -3)


def test_an_axis_that_is_not_there_is_refused():
    with pytest.raises(ProblemError, match="no axis -4: it has 3 axes"):
        slices_of(Image(VOLUME), -4)


@pytest.mark.parametrize("span", [(2, 2), (-1, 2), (0, 5)])
def test_a_range_outside_the_layer_is_refused(span):
    with pytest.raises(ProblemError, match="has slices 0 to 3"):
        slices_of(Image(VOLUME), 0, span=span)


READ = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


def as_read(data=READ, **options) -> Image:
    """A layer as the reader adds it."""
    return Image(data, axis_labels=BODY_AXES, **options)


@pytest.mark.parametrize("axis", list(Axis))
def test_slices_of_a_layer_that_was_read_are_those_of_the_file(axis):
    volume = new_volume(from_slices(READ, Axis.AXIAL), np.eye(4), Path("x.nii"))
    slices = slices_of(as_read(), BODY_AXES.index(axis.value))
    np.testing.assert_array_equal(np.stack(list(slices)), volume.slices(axis))


def test_a_range_of_a_layer_that_was_read_is_counted_as_in_the_file():
    slices = slices_of(as_read(), 1, span=(1, 3))
    np.testing.assert_array_equal(slices[0], READ[::-1, 3])
    np.testing.assert_array_equal(slices[1], READ[::-1, 2])


def test_slice_numbers_and_places_in_the_data_lead_to_each_other():
    coronal, axial = slices_of(as_read(), 1), slices_of(as_read(), 0)
    assert [coronal.position_of(number) for number in range(5)] == [4, 3, 2, 1, 0]
    assert [coronal.number_of(position) for position in range(5)] == [4, 3, 2, 1, 0]
    assert axial.position_of(1) == axial.number_of(1) == 1


@pytest.mark.parametrize("place", [3, slice(3, 5), np.array([[3, 4], [4, 3]])])
def test_a_stroke_touches_slices_by_their_number(place):
    touched = [1] if isinstance(place, int) else [0, 1]
    assert slices_of(as_read(), 1).numbers_in((0, place, slice(None))) == touched


def test_a_plane_to_write_into_is_turned_as_the_slice_is():
    labels = np.zeros_like(READ)
    slices = slices_of(as_read(), 2)
    for index in range(len(slices)):
        slices.plane_of(labels, index)[:] = slices[index]
    np.testing.assert_array_equal(labels, READ)


def test_labels_are_cut_as_their_image_whatever_their_own_axes_are_called():
    slices = slices_of(as_read(), 1)
    np.testing.assert_array_equal(slices.of(Labels(READ))[0], slices[0])


def test_times_of_a_series_of_read_volumes_are_outside_the_slices():
    series = np.stack([READ, READ + 500])
    layer = Image(series, axis_labels=("time", *BODY_AXES))
    np.testing.assert_array_equal(slices_of(layer, -1, point=(1, 0, 0, 0))[0], series[1, ::-1, :, 5])
    np.testing.assert_array_equal(slices_of(layer, 0, point=(0, 2, 0, 0))[1], series[1, 2])


def test_an_array_without_negative_steps_is_turned_after_reading():
    class Stored:
        shape, ndim, dtype = READ.shape, 3, READ.dtype

        def __getitem__(self, index):
            assert all(not isinstance(place, slice) or place.step is None for place in index)
            return READ[index]

    slices = replace(slices_of(as_read(), 1), data=Stored())
    np.testing.assert_array_equal(slices[0], READ[::-1, 4])
