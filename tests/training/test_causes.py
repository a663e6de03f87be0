"""What self propagation loses by: which slices and masks are compared, and how the losses are counted."""

from __future__ import annotations

import numpy as np
import pytest
from training.causes import conditional_masks, shares


def test_wrong_voxels_are_counted_beyond_the_ends_on_the_slices_and_as_missed() -> None:
    true, mask = np.zeros((2, 4, 5, 5), bool)
    true[1:3, :2, :5] = True  # 20 voxels
    mask[1, :2, :5] = True
    mask[1, 4, :2] = True
    mask[0, 0, :4] = True
    overlap, beyond, within, missed = shares(mask, true)
    assert (beyond, within, missed) == pytest.approx((20, 10, 50))
    assert overlap == pytest.approx(100 * 2 * 10 / 36)


def test_slices_spread_over_the_organ_include_both_its_ends() -> None:
    true = np.zeros((9, 3, 3), bool)
    true[2:8] = True
    ways = conditional_masks(true, true, chosen=(4, 5))
    assert set(ways["slices spread over the organ"]) == {2, 7}
    assert set(ways["chosen slices, true masks"]) == {4, 5}


def test_the_best_slices_are_those_whose_mask_is_nearest_to_the_truth() -> None:
    true = np.zeros((4, 2, 2), bool)
    true[:3] = True
    first = true.copy()
    first[0, 0] = False
    assert set(conditional_masks(first, true, chosen=(0, 1))["best slices by true DSC"]) == {1, 2}
