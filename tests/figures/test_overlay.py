"""Masks over slices."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from napari_revsam2.figures.overlay import COLOURS, outline, spread_slices


def test_the_border_of_a_mask_runs_between_its_pixels_and_the_rest():
    panel, mask = Figure().subplots(), np.zeros((8, 9), bool)
    mask[2:5, 3:7] = True
    outline(panel, mask, COLOURS[0], "solid")
    (border,) = panel.collections
    assert tuple(border.get_edgecolor()[0]) == to_rgba(COLOURS[0])
    (x_min, y_min), (x_max, y_max) = (f(np.vstack(border.get_paths()[0].vertices), axis=0) for f in (np.min, np.max))
    assert (x_min, x_max, y_min, y_max) == (2.5, 6.5, 1.5, 4.5)


@pytest.mark.parametrize("mask", [np.zeros((4, 5), bool), np.ones((4, 5), bool), np.eye(1, 5, dtype=bool)])
def test_what_has_no_border_draws_nothing(mask):
    panel = Figure().subplots()
    outline(panel, mask, COLOURS[0], "solid")
    assert not panel.collections


@pytest.mark.parametrize(
    ("shown", "count", "chosen"),
    [
        ([0, 1, 1, 1, 1, 1, 0], 3, [1, 3, 5]),
        ([0, 1, 0, 1, 0], 6, [1, 3]),
        ([0, 0, 0, 0, 0], 2, [0, 4]),
        ([1], 12, [0]),
    ],
)
def test_slices_are_spread_over_those_that_show_something(shown, count, chosen):
    assert spread_slices(np.array(shown, bool), count).tolist() == chosen


def test_colours_are_all_different():
    assert len({to_rgba(colour) for colour in COLOURS}) == len(COLOURS)
