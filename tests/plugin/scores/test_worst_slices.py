"""Which slices to look at first."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.plugin.scores.worst_slices import worst_slices

from .conftest import SCORES


def test_they_go_up_in_pi_and_those_where_nothing_was_found_come_last():
    assert worst_slices(SCORES) == (2, 4, 1, 0, 5)


@pytest.mark.parametrize(
    ("scores", "order"),
    [([], ()), ([np.nan, np.nan], ()), ([0.5, 0.5, 0.4], (2, 0, 1)), ([0.0, 0.0], (0, 1))],
    ids=["no slice", "none known", "equal scores keep their order", "nothing found"],
)
def test_scores_of_another_kind(scores, order):
    assert worst_slices(np.array(scores)) == order
