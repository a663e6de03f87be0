"""Layer, axis and range of the query; layers of every kind."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr

from tests.engine.conftest import paint

from .conftest import choose_axis, sentence


def test_axes_have_their_names_and_the_sliders_is_the_default(viewer, form):
    viewer.add_image(np.zeros((5, 10, 12)), axis_labels=("z", "y", "x"))
    box = form.query.axis_box
    assert [box.itemText(i) for i in range(3)] == ["z (default)", "y", "x"]
    assert form.inputs.axis == -3


def test_an_axis_without_a_name_has_its_number(viewer, form):
    viewer.add_image(np.zeros((5, 10, 12)))
    assert form.query.axis_box.itemText(1) == "axis 1"


def test_the_axis_of_the_slider_is_the_default_when_the_user_has_turned_the_view(viewer, form):
    viewer.add_image(np.zeros((5, 10, 12)))
    viewer.dims.order = (2, 0, 1)
    viewer.layers.clear()
    viewer.add_image(np.zeros((5, 10, 12)))
    assert form.inputs.axis == viewer.dims.order[-3] - 3


def test_supports_are_cut_along_the_axis_of_the_query(sample, settled):
    choose_axis(sample, -1)
    request = settled().request()
    assert len(request.slices) == 13
    assert {support.image.shape for support in request.supports.slices if support.volume == 0} == {(5, 10)}


def test_the_range_is_all_slices_until_chosen_otherwise(sample):
    assert sample.inputs.range_shown == (0, 8)
    choose_axis(sample, -2)
    assert sample.inputs.range_shown == (0, 14)


def test_time_is_fixed_where_the_viewer_stands_and_that_is_said(sample, viewer, settled):
    series = np.stack([paint((8, 14, 13))[0] + t for t in range(3)])
    viewer.add_image(series, name="series", axis_labels=("time", "z", "y", "x"))
    viewer.dims.set_current_step(0, 2)
    assert sample.query.note.text() == "time is fixed at 2."
    np.testing.assert_array_equal(settled().request().query.slices[1], series[2, 1])
    viewer.dims.set_current_step(0, 1)
    assert sample.query.note.text() == "time is fixed at 1."


def test_painted_slices_are_those_of_the_time_that_is_shown(viewer, form, settled):
    image, labels = paint((5, 10, 12))
    viewer.add_image(np.stack([image, image]), name="series")
    viewer.add_labels(np.stack([labels, np.zeros_like(labels)]), name="series labels")
    viewer.dims.set_current_step(0, 0)
    assert len(settled().supports.annotated[0].painted.voxels) == 4
    viewer.dims.set_current_step(0, 1)
    assert "Nothing is painted" in sentence(settled())


def test_colours_are_segmented_as_luminance_and_that_is_said(sample, viewer):
    colours = np.random.default_rng(0).integers(0, 255, (8, 14, 13, 3)).astype(np.uint8)
    viewer.add_image(colours, name="photographs", rgb=True)
    assert sample.query.note.text() == "Colours are turned to luminance."
    assert sample.request().query.shape == (8, 14, 13)


def test_multiscale_is_segmented_in_full_resolution_and_that_is_said(sample, viewer):
    image = paint((8, 14, 13))[0]
    viewer.add_image([image, image[:, ::2, ::2]], multiscale=True, name="pyramid")
    assert sample.query.note.text() == "The full resolution is segmented."
    assert sample.request().query.shape == (8, 14, 13)


@pytest.mark.parametrize("lazy", [lambda data: da.from_array(data, chunks=(1, -1, -1)), zarr.array])
def test_lazy_layers_serve_as_support_and_query(viewer, form, settled, lazy):
    image, labels = (lazy(array) for array in paint((5, 10, 12)))
    viewer.add_image(image, name="subject", contrast_limits=(0, 100))
    viewer.add_labels(labels, name="subject labels")
    query = paint((8, 14, 13))[0]
    viewer.add_image(lazy(query), name="new patient", contrast_limits=(0, 100))
    request = settled().request()
    assert [s.index for s in request.supports.slices] == [1, 2, 3, 4]
    np.testing.assert_array_equal(request.query.slices[3], query[3])


def test_a_number_of_two_digits_can_be_typed_though_each_digit_changes_the_inputs(qtbot, viewer, form):
    viewer.add_image(np.zeros((30, 10, 12)))
    form.query.last.selectAll()
    qtbot.keyClicks(form.query.last, "17")
    assert form.inputs.range_shown == (0, 18)
