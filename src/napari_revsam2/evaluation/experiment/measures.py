"""How good a mask is, and what the reverse score says of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.metrics.meandice import compute_dice
from monai.metrics.surface_dice import compute_surface_dice
from numpy.typing import NDArray
from scipy.stats import spearmanr

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.propagator import Mask
from napari_revsam2.evaluation.datasets.labelled_stack import Spacing


def dice_coefficient(mask: NDArray[Any], truth: NDArray[Any]) -> float:
    """DSC of two masks (M, H, W), by MONAI; nan where both are empty."""
    if not mask.any() and not truth.any():
        return float("nan")
    return float(compute_dice(_batch(mask), _batch(truth), ignore_empty=False))


def surface_dice(mask: NDArray[Any], truth: NDArray[Any], spacing: Spacing, tolerance: float) -> float:
    """Normalised surface Dice (NSD), by MONAI.

    Parameters
    ----------
    mask, truth : ndarray
        (M, H, W).
    spacing : (float, float, float)
        Millimetres between slices, rows and columns.
    tolerance : float
        Millimetres by which surfaces may differ.

    Returns
    -------
    float
        Share of both surfaces that lies within the tolerance of the other one, 0 to 1; 0 where one mask is empty, nan
        where both are.
    """
    if not mask.any() or not truth.any():
        return 0.0 if mask.any() or truth.any() else float("nan")
    with warnings.catch_warnings():  # MONAI 1.5 and 1.6 call themselves in a way that they warn of
        warnings.simplefilter("ignore", FutureWarning)
        return float(compute_surface_dice(_batch(mask), _batch(truth), [tolerance], True, spacing=spacing))


@dataclass(frozen=True)
class SliceQuality:
    """How good forward propagation is on the slices where it found anything.

    Attributes
    ----------
    nonempty : float
        Mean DSC of ``p_i`` over these slices.
    chosen : float
        The same over the conditional ones.
    rank_correlation : float
        Spearman's, of ``pi_i`` with the DSC of ``p_i`` (Figure 4); nan with fewer than three slices, or where either is
        the same everywhere.
    """

    nonempty: float
    chosen: float
    rank_correlation: float


def slice_quality(
    masks: Mapping[int, Mask], truth: NDArray[Any], scores: Mapping[int, float], chosen: Sequence[int]
) -> SliceQuality:
    """Compare ``p_i`` (H, W) by slice with the true mask (M, H, W), given ``pi_i`` and the conditional slices."""
    overlaps = {i: dice(mask, truth[i]) for i, mask in masks.items() if mask.any()}
    scored = [i for i in overlaps if i in scores]
    return SliceQuality(
        _mean(list(overlaps.values())),
        _mean([overlaps[i] for i in chosen if i in overlaps]),
        rank_correlation([scores[i] for i in scored], [overlaps[i] for i in scored]),
    )


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's; nan with fewer than three pairs, or where either is the same everywhere."""
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return float("nan")
    return float(spearmanr(first, second).statistic)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _batch(mask: NDArray[Any]) -> torch.Tensor:
    """(1, 1, M, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(mask != 0))[None, None]
