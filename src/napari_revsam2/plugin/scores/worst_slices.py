"""Which slices to look at first. No Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def worst_slices(scores: NDArray[np.float64]) -> tuple[int, ...]:
    """Order slices from the lowest reverse score upwards.

    Slices on which nothing was found (pi is 0) come last: most of them are rightly empty.

    Parameters
    ----------
    scores : ndarray
        (M,) ``pi``; nan where not known, and such slices are left out.
    """
    found = [int(i) for i in np.argsort(scores, kind="stable") if scores[i] > 0]
    return (*found, *(int(i) for i in np.flatnonzero(scores == 0)))
