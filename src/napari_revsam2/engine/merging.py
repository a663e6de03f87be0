"""Several classes in one label volume: the higher logit wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.vocabulary.errors import ProblemError

from .propagator import Logits


class LabelMerger:
    """Collects the final masks of all classes slice by slice.

    Parameters
    ----------
    labels : sequence of int
        The class ids to come, from 1 on.
    shape : (int, int, int)
        M, H, W.

    Raises
    ------
    ProblemError
        When a class id is below 1.
    """

    def __init__(self, labels: Sequence[int], shape: tuple[int, int, int]) -> None:
        if min(labels) < 1:
            raise ProblemError(f"Class {min(labels)} is no class: number the classes from 1; 0 is the background.")
        self.segmentation: NDArray[np.unsignedinteger[Any]] = np.zeros(shape, np.min_scalar_type(max(labels)))
        # highest logit so far (M, H, W), from 0 on, as a negative one is background; one class needs no rival
        self._best = np.zeros(shape, np.float32) if len(labels) > 1 else None

    def add(self, label: int, index: int, logits: Logits) -> None:
        """Write one slice (H, W) of a class; foreground is where its logit is positive and higher than the others'."""
        wins = logits > 0  # (H, W)
        if self._best is not None:
            wins &= logits > self._best[index]
            self._best[index][wins] = logits[wins]
        self.segmentation[index][wins] = label
