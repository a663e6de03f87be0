"""Which painted slices become supports, for any painting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_revsam2.engine.problem import SupportSet, stack_supports
from napari_revsam2.engine.support_selection import select_supports

LABEL = 2
paintings = st.lists(st.lists(st.booleans(), min_size=1, max_size=12), min_size=1, max_size=4).filter(
    lambda volumes: any(map(any, volumes))
)
"""For each volume, for each slice, whether it shows the class."""


def painted(painting: list[list[bool]]) -> SupportSet:
    """Supports of 2 x 2 pixels; each slice shows class 1, some the class in question too."""
    slices = []
    for number, shows in enumerate(painting):
        labels = np.ones((len(shows), 2, 2), np.uint8)
        labels[shows, 0] = LABEL
        slices += stack_supports(np.arange(labels.size).reshape(labels.shape), labels, (0.0, 1.0), number)
    return SupportSet(tuple(slices))


@given(paintings, st.integers(1, 60))
def test_as_many_as_asked_for_are_chosen_each_once_and_in_order(painting, n_support):
    supports = painted(painting)
    offered = supports.painted_with(LABEL)
    chosen = select_supports(supports, LABEL, n_support)
    places = [[slice_ is other for other in offered].index(True) for slice_ in chosen]
    assert len(chosen) == min(n_support, len(offered))
    assert places == sorted(set(places))


@given(paintings, st.integers(1, 60))
def test_no_volume_contributes_two_more_than_another_that_has_more_to_offer(painting, n_support):
    shares = [0] * len(painting)
    for support in select_supports(painted(painting), LABEL, n_support):
        shares[support.volume] += 1
    unexhausted = [share for share, shows in zip(shares, painting, strict=True) if share < sum(shows)]
    assert not unexhausted or max(shares) - min(unexhausted) <= 1
