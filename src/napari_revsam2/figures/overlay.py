"""Masks drawn over slices: what every picture of a result shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2")
"""Okabe and Ito's palette, told apart by colour-blind readers."""


def outline(panel: Axes, mask: NDArray[Any], colour: str, style: str) -> None:
    """Draw the border of a mask (H, W); nothing where it is empty, full or a single line."""
    if mask.any() and not mask.all() and min(mask.shape) > 1:
        panel.contour(mask, levels=[0.5], colors=colour, linewidths=1.3, linestyles=style)


def spread_slices(shown: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
    """Choose slices to look at, evenly spread over those that show something.

    Parameters
    ----------
    shown : ndarray
        (M,) for each slice whether it shows anything; where none does, all are taken.
    count : int
        How many to choose at most.

    Returns
    -------
    ndarray
        Slice numbers in order, at most ``count``.
    """
    indices = np.flatnonzero(shown) if shown.any() else np.arange(len(shown))
    positions = np.linspace(0, len(indices) - 1, min(count, len(indices)))
    spread: NDArray[np.intp] = indices[positions.round().astype(int)]
    return spread
