"""Several classes in one label volume: the higher logit wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .propagator import Logits


class LabelMerger:
    """Collects the final masks of all classes slice by slice.

    Parameters
    ----------
    labels : sequence of int
        The class ids to come.
    shape : (int, int, int)
        M, H, W.
    """

    def __init__(self, labels: Sequence[int], shape: tuple[int, int, int]) -> None:
        self.segmentation: NDArray[np.unsignedinteger[Any]] = np.zeros(shape, np.min_scalar_type(max(labels)))
        self._best = np.zeros(shape, np.float32) if len(labels) > 1 else None

    def add(self, label: int, index: int, logits: Logits) -> None:
        """Write one slice (H, W) of a class; foreground is where its logit is positive and higher than the others'."""
        wins = logits > 0
        if self._best is not None:
            wins &= logits > self._best[index]
            self._best[index][wins] = logits[wins]
        self.segmentation[index][wins] = label
