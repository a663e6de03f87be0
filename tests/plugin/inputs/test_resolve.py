"""From the inputs to a request, or to the one sentence that stands beside Run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_revsam2.plugin.inputs.inputs import (
    Inputs,
    check,
    choose_axis,
    choose_pairs,
    choose_query,
    choose_range,
    choose_settings,
    followed,
    refuse_settings,
)
from napari_revsam2.plugin.inputs.painted_pair import PaintedPair, cut_pair
from napari_revsam2.plugin.inputs.resolve import axis_name, notes, resolve
from napari_revsam2.settings.config import RevSAM2Config
from tests.engine.conftest import BRIGHT, DARK, paint

VOXELS = {index: {BRIGHT: 16, DARK: 12} for index in range(1, 5)}


@pytest.fixture
def pair() -> PaintedPair:
    """A pair with four painted slices."""
    grey, classes = paint((5, 10, 12))
    return replace(
        cut_pair(Image(grey, name="scan"), Labels(classes, name="scan labels"), -3), voxels=VOXELS, is_known=True
    )


@pytest.fixture
def query() -> Image:
    return Image(paint((8, 14, 13), shift=3)[0], name="query")


@pytest.fixture
def inputs(pair, query) -> Inputs:
    return followed(Inputs(), [pair.image, pair.labels, query])


def sentence(inputs, *painted) -> str:
    resolved = resolve(inputs, painted)
    assert resolved.request is None
    return resolved.problem


def test_what_fits_together_is_a_request(inputs, pair, query):
    resolved = resolve(inputs, [pair])
    assert resolved.problem == ""
    assert resolved.request.query_layer is query
    assert resolved.request.labels == (BRIGHT, DARK)
    assert resolved.used == (dict.fromkeys(range(1, 5), (BRIGHT, DARK)),)


def test_n_and_k_are_bounded_by_what_there_is(inputs, pair):
    resolved = resolve(choose_range(inputs, 2, 5), [pair])
    assert (resolved.n_checked, resolved.n_query) == (4, 3)
    assert (resolved.request.config.n_support, resolved.request.config.top_k) == (4, 3)


def test_n_and_k_are_what_the_user_wants_where_there_is_enough(inputs, pair):
    wanted = choose_settings(inputs, RevSAM2Config(n_support=2, top_k=1))
    resolved = resolve(wanted, [pair])
    assert (resolved.request.config.n_support, resolved.request.config.top_k) == (2, 1)
    assert len(resolved.used[0]) == 2


@pytest.mark.parametrize("label", [-1, 65536, 70000, 2**63])
def test_a_class_that_no_result_could_hold_is_refused_before_the_run(inputs, pair, label):
    painted = replace(pair, voxels={**VOXELS, 2: {BRIGHT: 16, label: 3}})
    assert sentence(inputs, painted) == (
        f"The labels 'scan labels' have the class {label}: number the classes from 1 to 65535; 0 is the background."
    )
    unchecked = check(inputs, pair.labels, {2}, is_wanted=False)
    assert resolve(unchecked, [painted]).problem == ""


def test_unchecked_slices_are_not_used(inputs, pair):
    resolved = resolve(check(inputs, pair.labels, {1, 2}, is_wanted=False), [pair])
    assert resolved.used[0].keys() == {3, 4}
    assert resolved.n_checked == 2


def test_the_range_and_the_axis_are_those_that_were_chosen(inputs, pair):
    request = resolve(choose_range(inputs, 2, 5), [pair]).request
    assert (request.slices.axis, request.slices.start, request.slices.stop) == (0, 2, 5)


def test_the_position_decides_on_axes_such_as_time(pair):
    series = Image(np.zeros((3, 8, 14, 13)), name="series")
    inputs = followed(Inputs(), [pair.image, pair.labels, series])
    assert resolve(inputs, [pair], point=(2, 0, 0, 0)).request.slices.point[0] == 2


def test_what_would_be_used_is_known_even_where_nothing_can_be_run(inputs, pair):
    resolved = resolve(choose_range(inputs, 5, 2), [pair])
    assert resolved.request is None
    assert len(resolved.used[0]) == 4


# One sentence for each thing that can't work, the first one first.


def test_without_an_image():
    assert "There is no image: drop a volume into napari" in sentence(followed(Inputs(), []))


def test_without_labels(query):
    assert sentence(followed(Inputs(), [query])) == "'query' has no labels yet: choose some, or click 'New labels'."


def test_without_an_image_for_the_labels(inputs, pair):
    assert "'scan labels' has no image" in sentence(choose_pairs(inputs, [(None, pair.labels)]))


def test_without_a_pair(inputs):
    assert "There is no support" in sentence(choose_pairs(inputs, []))


def test_with_labels_in_two_pairs(inputs, pair):
    chosen = choose_pairs(inputs, [(pair.image, pair.labels)] * 2)
    assert "'scan labels' are in two support pairs" in sentence(chosen, pair, pair)


def test_with_labels_of_another_shape(inputs, pair):
    other = Labels(np.zeros((5, 10, 11), np.uint8), name="others")
    chosen = choose_pairs(inputs, [(pair.image, other)])
    assert "'others' have 5 x 10 x 11 voxels and their image 'scan' has 5 x 10 x 12" in sentence(chosen)


def test_with_supports_that_lack_the_axis_of_the_query(pair):
    series = Image(np.zeros((3, 8, 14, 13)), name="series")
    inputs = choose_axis(followed(Inputs(), [pair.image, pair.labels, series]), -4)
    assert "'scan' has no axis -4: it has 3 axes" in sentence(inputs)


def test_while_painted_slices_are_still_being_looked_for(inputs, pair):
    assert "still being looked for" in sentence(inputs, replace(pair, is_known=False))


def test_with_a_single_image_for_a_query(inputs, pair):
    flat = Image(np.zeros((10, 12)), name="flat")
    chosen = followed(choose_query(inputs, flat), [pair.image, pair.labels, flat])
    assert "'flat' is a single image" in sentence(chosen, pair)


def test_with_an_empty_range(inputs, pair):
    assert "The range of slices is empty: the first one (6) is after the last (2)." in sentence(
        choose_range(inputs, 6, 3), pair
    )


def test_with_settings_that_are_not_valid(inputs, pair):
    assert sentence(refuse_settings(inputs, "No such window."), pair) == "No such window."


def test_with_nothing_painted(inputs, pair):
    assert "Nothing is painted: " in sentence(inputs, replace(pair, voxels={}))


def test_with_all_painted_slices_unchecked(inputs, pair):
    unchecked = check(inputs, pair.labels, range(5), is_wanted=False)
    assert "All painted slices are unchecked" in sentence(unchecked, pair)


# Notes on the query.


def test_an_ordinary_volume_needs_no_note(inputs):
    assert notes(inputs, (0, 0, 0)) == ""


def test_what_cannot_be_seen_from_its_name_is_said():
    series = Image(np.zeros((3, 8, 14, 13, 3), np.uint8), rgb=True, axis_labels=("time", "z", "y", "x"))
    assert notes(followed(Inputs(), [series]), (2, 0, 0, 0)) == "time is fixed at 2. Colours are turned to luminance."
    pyramid = Image([np.zeros((8, 14, 13)), np.zeros((8, 7, 6))], multiscale=True)
    assert notes(followed(Inputs(), [pyramid]), (0, 0, 0)) == "The full resolution is segmented."


def test_without_a_range_there_is_no_note(inputs):
    assert notes(choose_range(inputs, 6, 3), (0, 0, 0)) == ""


def test_an_axis_has_the_layers_name_or_its_number():
    assert axis_name(Image(np.zeros((5, 10, 12)), axis_labels=("z", "y", "x")), -3) == "z"
    assert axis_name(Image(np.zeros((5, 10, 12))), -2) == "axis 1"
