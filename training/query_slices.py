"""Which slices of a query an episode shows, in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def query_slices(rng: np.random.Generator, present: Indices, depth: int, count: int) -> Indices:
    """``count`` of ``depth`` slices: across the target, from anywhere, or next to each other.

    ``present`` are the slices that show the target.
    """
    draw = (slices_across, slices_anywhere, neighbours)[rng.choice(3, p=[0.45, 0.2, 0.35])]
    return draw(rng, present, depth, count)


def slices_across(rng: np.random.Generator, present: Indices, depth: int, count: int) -> Indices:
    """Slices from all of the target's extent and as much again around it."""
    margin = max(count, round(0.5 * len(present)))
    low, high = max(0, int(present[0]) - margin), min(depth, int(present[-1]) + 1 + margin)
    return np.sort(rng.choice(np.arange(low, high), count, replace=False))


def slices_anywhere(rng: np.random.Generator, present: Indices, depth: int, count: int) -> Indices:
    """Slices of the whole volume, some of which show the target."""
    n_shown = int(rng.integers(1, 1 + min(count // 2, len(present))))
    others = np.setdiff1d(np.arange(depth), present)
    shown = rng.choice(present, n_shown, replace=False)
    away = rng.choice(others, min(count - n_shown, len(others)), replace=False)
    more = rng.choice(present, count - n_shown - len(away))
    return np.sort(np.concatenate([shown, away, more]))


def neighbours(rng: np.random.Generator, present: Indices, depth: int, count: int) -> Indices:
    """Every first to third slice around an end of the target, within it, or away from it."""
    step = int(rng.integers(1, 4))
    span = step * (count - 1)
    where = rng.random()
    if where < 0.4:
        middle = int(present[0] if rng.random() < 0.5 else present[-1])
    elif where < 0.85:
        middle = int(rng.choice(present))
    else:
        middle = int(rng.integers(depth))
    start = int(np.clip(middle - span // 2, 0, depth - span - 1))
    return start + step * np.arange(count)


def long_sweep(rng: np.random.Generator, present: Indices, depth: int, count: int) -> Indices:
    """Every or every second slice from within the target past one of its ends: at least half lie beyond, if they can.

    Near the volume's end the sweep is moved inwards.
    """
    step = int(rng.integers(1, 3)) if 2 * count <= depth else 1
    within = step * (int(rng.integers(2, count // 2 + 1)) - 1)
    span = step * (count - 1)
    start = int(present[-1]) - within if rng.random() < 0.5 else int(present[0]) + within - span
    return int(np.clip(start, 0, depth - span - 1)) + step * np.arange(count)
