"""Means over volumes with intervals, and paired differences between modes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, spearmanr

from .results import ResultRow

CONFIDENCE = 0.95
FEWEST_VOLUMES = 3
"""Below this there is no interval: resampling one or two volumes tells nothing of others."""
_RESAMPLES = 2000
_SEED = 0


@dataclass(frozen=True)
class Measurement:
    """One number of one class in one volume; several of them (groups) are averaged."""

    volume: str
    class_name: str
    value: float


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


def estimate(measurements: Iterable[Measurement]) -> Estimate:
    """Average, and say how sure that is; the same numbers give the same interval. Values of nan are left out."""
    values = _by_volume_and_class(measurements)
    low, high = _interval(values)
    per_volume = _known_mean(values, axis=1)
    return Estimate(
        float(_mean_over_classes(values)), low, high, len(values), int((per_volume > 0).sum()), values.shape[1]
    )


def measure(rows: Iterable[ResultRow], value: Callable[[ResultRow], float]) -> list[Measurement]:
    """One number of each row."""
    return [Measurement(row.volume, row.class_name, value(row)) for row in rows]


def paired_differences(
    first: Sequence[ResultRow], second: Sequence[ResultRow], value: Callable[[ResultRow], float]
) -> list[Measurement]:
    """First minus second, of rows with the same volume, class, group and N; rows without a partner are left out."""
    partners = {_pair(row): row for row in second}
    return [
        Measurement(row.volume, row.class_name, value(row) - value(partners[_pair(row)]))
        for row in first
        if _pair(row) in partners
    ]


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's; nan with fewer than three pairs, or where either is the same everywhere."""
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return float("nan")
    return float(spearmanr(first, second).statistic)


def _pair(row: ResultRow) -> tuple[Any, ...]:
    return (row.dataset, row.support_dataset, row.label, row.group, row.volume, row.n_support)


def _by_volume_and_class(measurements: Iterable[Measurement]) -> NDArray[np.float64]:
    """Average over groups: (volumes, classes), nan where not known; volumes without any value are left out."""
    known: dict[tuple[str, str], list[float]] = defaultdict(list)
    for item in measurements:
        if not np.isnan(item.value):
            known[item.volume, item.class_name].append(item.value)
    volumes = sorted({volume for volume, _ in known})
    classes = sorted({name for _, name in known})
    values = np.full((len(volumes), len(classes)), np.nan)
    for (volume, name), numbers in known.items():
        values[volumes.index(volume), classes.index(name)] = np.mean(numbers)
    return values


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
