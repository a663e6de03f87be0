"""Which slices of a query an episode shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from training.query_slices import Indices, long_sweep, neighbours, slices_across, slices_anywhere

PRESENT, DEPTH = np.arange(30, 40), 80
DRAWS = [slices_across, slices_anywhere, neighbours, long_sweep]


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("seed", range(4))
def test_slices_lie_in_the_volume_in_order(draw: Callable[..., Indices], seed: int) -> None:
    slices = draw(np.random.default_rng(seed), PRESENT, DEPTH, 8)
    assert len(slices) == 8
    assert (np.diff(slices) >= 0).all()
    assert slices[0] >= 0
    assert slices[-1] < DEPTH


def test_some_slices_from_anywhere_show_the_target_and_some_are_far_from_it() -> None:
    slices = slices_anywhere(np.random.default_rng(0), PRESENT, DEPTH, 8)
    assert np.isin(slices, PRESENT).any()
    assert (~np.isin(slices, np.arange(20, 50))).any()


@pytest.mark.parametrize("seed", range(8))
def test_a_long_sweep_leaves_the_target_by_one_end_and_goes_on_for_half_its_length(seed: int) -> None:
    slices = long_sweep(np.random.default_rng(seed), PRESENT, DEPTH, 20)
    assert set(np.diff(slices)) in ({1}, {2})
    assert np.isin(slices, PRESENT).sum() >= 2
    above, below = (slices > PRESENT[-1]).sum(), (slices < PRESENT[0]).sum()
    assert max(above, below) >= 10


def test_a_long_sweep_is_moved_inwards_at_the_end_of_the_volume() -> None:
    slices = long_sweep(np.random.default_rng(1), np.array([19]), 20, 20)
    assert slices.tolist() == list(range(20))
