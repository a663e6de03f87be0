"""Means over volumes with intervals, and paired differences between modes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import bootstrap

CONFIDENCE = 0.95
FEWEST_VOLUMES = 3
"""Below this there is no interval: resampling one or two volumes tells nothing of others."""
_RESAMPLES = 2000
_SEED = 0
_PAIR = ["dataset", "support_dataset", "label", "class_name", "group", "volume", "n_support"]


@dataclass(frozen=True)
class Estimate:
    """A mean over volumes.

    Attributes
    ----------
    mean : float
        Mean over classes of the means over volumes, groups averaged first (section 4.1); nan where nothing is known.
    low, high : float
        95 % percentile bootstrap interval over volumes; nan with fewer than `FEWEST_VOLUMES`.
    volumes : int
        Volumes with at least one known value.
    better : int
        Volumes whose mean over classes is above 0: where a difference is a gain.
    classes : int
        Classes with at least one known value.
    """

    mean: float
    low: float
    high: float
    volumes: int
    better: int
    classes: int


def estimate(results: pd.DataFrame, value: str = "dsc") -> Estimate:
    """Average a column, and say how sure that is; the same numbers give the same interval. Values of nan are left out.

    Parameters
    ----------
    results : DataFrame
        With the columns ``volume`` and ``class_name``; rows of the same volume and class (groups) are averaged first.
    value : str
        The column.
    """
    known = results.dropna(subset=[value])
    values = known.groupby(["volume", "class_name"])[value].mean().unstack().to_numpy(float)  # (volumes, classes)
    low, high = _interval(values)
    per_volume = _known_mean(values, axis=1)
    return Estimate(
        float(_mean_over_classes(values)), low, high, len(values), int((per_volume > 0).sum()), values.shape[1]
    )


def paired_differences(first: pd.DataFrame, second: pd.DataFrame, value: str = "dsc") -> pd.DataFrame:
    """First minus second, of results with the same volume, class, group and N; those without a partner are left out."""
    pairs = first.merge(second, on=_PAIR, suffixes=("", "_of_second"))
    return pairs.assign(**{value: pairs[value] - pairs[f"{value}_of_second"]})


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Resample whole volumes, so that what classes of one volume share is kept."""
    if len(values) < FEWEST_VOLUMES:
        return float("nan"), float("nan")
    resampled = bootstrap(
        (np.arange(len(values)),),
        lambda volumes, axis: _mean_over_classes(values[volumes]),  # noqa: ARG005  # always the last axis
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=500,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(resampled.low), float(resampled.high)


def _mean_over_classes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of values (..., volumes, classes): (...)."""
    return _known_mean(_known_mean(values, axis=-2), axis=-1)


def _known_mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Mean of what isn't nan; nan where nothing is left, without a warning."""
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = np.nansum(values, axis=axis) / np.isfinite(values).sum(axis=axis)
    return mean
