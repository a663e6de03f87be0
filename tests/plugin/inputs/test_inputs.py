"""What the user chose, as layers come, go, are renamed or get other data, and as it is changed."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_revsam2.plugin.inputs.inputs import (
    Inputs,
    check,
    choose_axis,
    choose_new_labels,
    choose_pairs,
    choose_query,
    choose_range,
    choose_settings,
    followed,
    refuse_settings,
)
from napari_revsam2.settings.config import RevSAM2Config


def image(name="scan", shape=(5, 10, 12)) -> Image:
    return Image(np.zeros(shape), name=name)


def labels(name="scan labels", shape=(5, 10, 12)) -> Labels:
    return Labels(np.zeros(shape, np.uint8), name=name)


@pytest.fixture
def scan() -> Image:
    return image()


@pytest.fixture
def painted() -> Labels:
    return labels()


@pytest.fixture
def query() -> Image:
    return image("query", (8, 14, 13))


@pytest.fixture
def layers(scan, painted, query) -> list:
    return [scan, painted, query]


@pytest.fixture
def inputs(layers) -> Inputs:
    return followed(Inputs(), layers)


# Following the viewer.


def test_pairs_and_query_are_found_by_name(inputs, scan, painted, query):
    assert inputs.pairs == ((scan, painted),)
    assert inputs.query is query


def test_without_layers_there_is_an_empty_row_and_no_query():
    empty = followed(Inputs(), [])
    assert (empty.pairs, empty.query, empty.complete_pairs) == (((None, None),), None, ())


def test_without_labels_the_first_row_has_an_image_to_begin_with_that_is_not_the_query(scan, query):
    assert followed(Inputs(), [scan, query]).pairs == ((scan, None),)
    assert followed(Inputs(), [query]).pairs == ((query, None),)


def test_a_renamed_pair_is_one_no_more_while_names_decide(inputs, layers, painted):
    painted.name = "somebody else"
    assert followed(inputs, layers).complete_pairs == ()


def test_a_chosen_pair_stays_whatever_its_layers_are_called(inputs, layers, scan, painted):
    chosen = choose_pairs(inputs, [(scan, painted)])
    painted.name = "somebody else"
    assert followed(chosen, layers).pairs == ((scan, painted),)


def test_a_new_pair_is_taken_while_names_decide_and_not_after(inputs, layers, scan, painted):
    more = [*layers, other := image("other"), other_labels := labels("other labels")]
    assert followed(inputs, more).complete_pairs == ((scan, painted), (other, other_labels))
    assert followed(choose_pairs(inputs, inputs.pairs), more).complete_pairs == ((scan, painted),)


def test_of_a_chosen_pair_that_lost_a_layer_the_other_stays(inputs, scan, painted, query):
    chosen = choose_pairs(inputs, inputs.pairs)
    assert followed(chosen, [scan, query]).pairs == ((scan, None),)
    assert followed(chosen, [painted, query]).pairs == ((None, painted),)


def test_a_row_goes_with_both_of_its_layers_and_an_empty_one_waits(inputs, layers, scan, painted):
    other = image("other")
    chosen = choose_pairs(inputs, [(scan, painted), (None, None), (other, None)])
    assert followed(chosen, layers).pairs == ((scan, painted), (None, None))


def test_when_all_that_was_chosen_is_gone_names_decide_again(inputs, layers, query):
    chosen = choose_pairs(inputs, inputs.pairs)
    emptied = followed(chosen, [query])
    assert emptied.pairs_by_name
    assert followed(emptied, layers).complete_pairs == inputs.complete_pairs


def test_a_chosen_query_stays_until_it_is_gone(inputs, layers, scan):
    chosen = followed(choose_query(inputs, scan), layers)
    assert followed(chosen, [*layers, image("new")]).query is scan
    gone = followed(chosen, layers[1:])
    assert gone.query is layers[2]
    assert gone.query_by_name


def test_no_query_chosen_leaves_it_to_the_names(inputs, layers, query):
    assert followed(choose_query(inputs, None), layers).query is query


def test_unchecked_slices_of_a_layer_that_is_gone_are_forgotten(inputs, scan, painted, query):
    unchecked = check(inputs, painted, {1}, is_wanted=False)
    assert followed(unchecked, [scan, query]).unchecked_of(painted) == frozenset()


# Axis and range.


def test_the_first_query_is_cut_along_the_axis_of_the_slider(layers):
    assert followed(Inputs(), layers, slider_axis=-1).axis == -1


def test_an_axis_of_the_slider_that_the_query_lacks_is_not_taken(layers):
    assert followed(Inputs(), layers, slider_axis=-4).axis == -3


def test_another_query_keeps_the_axis_that_was_chosen(inputs, layers, scan):
    chosen = choose_axis(inputs, -2)
    assert followed(choose_query(chosen, scan), layers).axis == -2


def test_a_query_without_the_chosen_axis_is_cut_along_the_sliders(inputs, layers, query):
    series = image("series", (3, 8, 14, 13))
    chosen = choose_axis(followed(choose_query(inputs, series), [*layers, series]), -4)
    assert followed(choose_query(chosen, query), [*layers, series], slider_axis=-2).axis == -2


def test_after_all_images_were_gone_the_slider_decides_anew(inputs, layers):
    emptied = followed(choose_axis(inputs, -2), [])
    assert followed(emptied, layers, slider_axis=-1).axis == -1


def test_the_range_is_all_slices_until_chosen_otherwise(inputs):
    assert inputs.range_shown == (0, 8)
    assert choose_axis(inputs, -2).range_shown == (0, 14)
    assert choose_range(inputs, 2, 5).range_shown == (2, 5)


def test_another_axis_begins_with_all_slices_all_of_them_checked(inputs, painted):
    chosen = check(choose_range(inputs, 2, 5), painted, {1}, is_wanted=False)
    turned = choose_axis(chosen, -1)
    assert turned.range_shown == (0, 13)
    assert turned.unchecked_of(painted) == frozenset()


def test_the_range_stays_when_other_layers_change(inputs, layers):
    chosen = choose_range(inputs, 2, 5)
    assert followed(chosen, [image("other"), *layers]).range_shown == (2, 5)


@pytest.mark.parametrize("shape", [(9, 14, 13), (9, 8, 14, 13)])
def test_other_data_begins_with_all_slices(inputs, layers, query, shape):
    chosen = choose_range(inputs, 2, 5)
    query.data = np.zeros(shape)
    after = followed(chosen, layers)
    assert after.range_shown == (0, shape[-3])


def test_another_query_begins_with_all_slices(inputs, layers):
    chosen = choose_range(inputs, 2, 5)
    assert followed(chosen, [*layers, image("new", (8, 14, 13))]).range_shown == (0, 8)


def test_a_single_image_has_no_axes(layers):
    flat = followed(Inputs(), [*layers, image("flat", (10, 12))])
    assert (list(flat.axes), flat.range_shown) == ([], (0, 1))


def test_colours_are_no_axis():
    colours = Image(np.zeros((5, 10, 12, 3), np.uint8), rgb=True)
    assert list(followed(Inputs(), [colours]).axes) == [-3, -2, -1]


# Other changes.


def test_slices_are_left_out_and_used_again(inputs, painted):
    without = check(inputs, painted, {1, 2}, is_wanted=False)
    assert without.unchecked_of(painted) == {1, 2}
    assert check(without, painted, {2, 3}, is_wanted=True).unchecked_of(painted) == {1}


def test_new_labels_go_to_their_row_unless_names_have_found_them(inputs, scan, painted, query):
    new = labels("query labels", (8, 14, 13))
    assert choose_new_labels(inputs, 0, new) is inputs
    chosen = choose_pairs(inputs, [(scan, painted), (query, None)])
    assert choose_new_labels(chosen, 1, new).pairs == ((scan, painted), (query, new))


def test_with_the_last_pair_removed_an_empty_row_stays(inputs):
    assert choose_pairs(inputs, []).pairs == ((None, None),)


def test_settings_that_are_refused_leave_the_valid_ones_and_say_why(inputs):
    chosen = choose_settings(inputs, RevSAM2Config(top_k=3))
    refused = refuse_settings(chosen, "No such window.")
    assert (refused.settings.top_k, refused.settings_problem) == (3, "No such window.")
    assert choose_settings(refused, RevSAM2Config()).settings_problem == ""
