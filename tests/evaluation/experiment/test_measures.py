"""DSC, NSD, and what the reverse score is worth."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.evaluation.experiment.measures import (
    dice_coefficient,
    rank_correlation,
    slice_quality,
    surface_dice,
)

SPACING = (3.0, 1.0, 1.0)


def cube(start: int, shape: tuple[int, int, int] = (12, 30, 30)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[2:8, start : start + 10, 5:15] = True
    return mask


def test_dice_of_half_overlapping_cubes_is_a_half():
    assert dice_coefficient(cube(5), cube(10)) == pytest.approx(0.5)


def test_two_empty_masks_have_no_dice_and_one_has_zero():
    empty = np.zeros((4, 8, 8), bool)
    full = ~empty
    assert np.isnan(dice_coefficient(empty, empty))
    assert dice_coefficient(full, empty) == dice_coefficient(empty, full) == 0


def test_surfaces_within_the_tolerance_agree_and_beyond_it_do_not():
    assert surface_dice(cube(5), cube(6), SPACING, tolerance=1.0) == 1
    assert surface_dice(cube(5), cube(8), SPACING, tolerance=1.0) < 0.9


def test_the_tolerance_is_in_millimetres_along_each_axis():
    moved = np.roll(cube(5), 1, axis=0)  # by one slice: 3 mm
    assert surface_dice(cube(5), moved, SPACING, tolerance=2.9) < 1
    assert surface_dice(cube(5), moved, SPACING, tolerance=3.0) == 1


def test_a_mask_at_the_volumes_edge_has_a_surface_there():
    mask = np.ones((4, 8, 8), bool)
    assert surface_dice(mask, mask, SPACING, 1.0) == 1


def test_an_empty_mask_has_no_surface():
    empty = np.zeros((12, 30, 30), bool)
    assert surface_dice(cube(5), empty, SPACING, 1.0) == surface_dice(empty, cube(5), SPACING, 1.0) == 0
    assert np.isnan(surface_dice(empty, empty, SPACING, 1.0))


def quality(**changed):
    truth = cube(5)
    masks = {
        2: truth[2],
        3: np.roll(truth[3], 5, axis=0),
        4: np.roll(truth[4], 20, axis=0),
        5: truth[0],
    }
    scores = {2: 0.9, 3: 0.4, 4: 0.1, 5: 0.0} | changed
    return slice_quality(masks, truth, scores, chosen=(2, 3))


def test_chosen_slices_are_compared_with_all_that_are_not_empty():
    assert quality().chosen == pytest.approx(0.75)
    assert quality().nonempty == pytest.approx(0.5)


def test_a_score_in_the_order_of_the_truth_has_rank_correlation_one():
    assert quality().rank_correlation == pytest.approx(1)
    assert slice_quality({}, cube(5), {}, ()).rank_correlation != 1


def test_a_constant_score_has_no_rank_correlation():
    assert np.isnan(
        slice_quality({i: cube(i)[3] for i in (2, 3, 4)}, cube(5), dict.fromkeys((2, 3, 4), 0.5), ()).rank_correlation
    )


def test_rank_correlation_sees_order_alone():
    assert rank_correlation([0.1, 0.2, 0.9], [1, 10, 11]) == pytest.approx(1)


@pytest.mark.parametrize(("first", "second"), [([], []), ([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3])])
def test_without_an_order_there_is_no_rank_correlation(first: list[float], second: list[float]):
    assert np.isnan(rank_correlation(first, second))
