import numpy as np
import pytest

from napari_revsam2.engine.dice import dice

A = np.array([[1, 1, 0, 0]], bool)


@pytest.mark.parametrize(
    ("other", "expected"), [([[1, 1, 0, 0]], 1), ([[0, 0, 1, 1]], 0), ([[1, 0, 0, 0]], 2 / 3), ([[0, 0, 0, 0]], 0)]
)
def test_dice_is_twice_the_overlap_over_the_sum(other, expected):
    assert dice(A, np.array(other, bool)) == pytest.approx(expected)


def test_two_empty_masks_agree():
    assert dice(A & False, A & False) == 1


def test_masks_of_other_shape_are_refused():
    with pytest.raises(ValueError, match="can't be compared"):
        dice(A, A.T)
