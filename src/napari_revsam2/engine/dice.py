"""The overlap behind the reverse score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dice(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice similarity coefficient 2|A & B| / (|A| + |B|) of two masks (..., H, W), the Dice of Eq. 10.

    It is 1 when both are empty.

    Raises
    ------
    ValueError
        When the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"masks of shapes {prediction.shape} and {truth.shape} can't be compared")
    # |A| + |B|
    total = np.count_nonzero(prediction) + np.count_nonzero(truth)
    return float(2 * np.count_nonzero(prediction & truth) / total) if total else 1.0
