"""What is taught when: features first, then reading the memory, then other patients, then everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lesson:
    """One step's kind of episodes.

    Attributes
    ----------
    features_only : bool
        Train the image encoder by `matching.matching_loss` alone; the memory is aligned when this ends.
    easy : float
        Share of new families that are easy.
    blobs : float
        Share of new families that are blobs of random grey values.
    warped : float
        Share of batches whose queries are warped copies of the supports.
    follows : float
        Share of batches that also train the query self propagation.
    """

    features_only: bool
    easy: float
    blobs: float
    warped: float
    follows: float


FEATURES_UNTIL = 0.06
"""Progress at which the memory joins in."""


def lesson(progress: float) -> Lesson:
    """The lesson at ``progress``, 0 to 1, through the training."""
    return Lesson(
        features_only=progress < FEATURES_UNTIL,
        easy=float(np.interp(progress, [0.06, 0.2, 0.6], [0.7, 0.7, 0.15])),
        blobs=float(np.interp(progress, [0.2, 0.6], [0.0, 0.3])),
        warped=float(np.interp(progress, [0.13, 0.35], [1.0, 0.1])),
        follows=float(np.interp(progress, [0.2, 0.3, 0.7, 0.75], [0.0, 0.5, 0.5, 0.8])),
    )
