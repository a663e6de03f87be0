"""Which query slices become conditional (end of section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def select_top_k(reverse_scores: Mapping[int, float], top_k: int) -> tuple[int, ...]:
    """Choose the k slices with the highest ``pi_i``; ties go to the lower index.

    Parameters
    ----------
    reverse_scores : mapping of int to float
        ``pi_i`` of the slices whose ``p_i`` isn't empty. With fewer than k of them, all are chosen.
    top_k : int
        k.

    Returns
    -------
    tuple of int
        The conditional slices, ascending.
    """
    # descending by pi_i, then ascending by i
    ranked = sorted(reverse_scores, key=lambda i: (-reverse_scores[i], i))
    return tuple(sorted(ranked[:top_k]))


def select_at_random(candidates: Sequence[int], top_k: int, seed: int) -> tuple[int, ...]:
    """Choose k of the slices whose ``p_i`` isn't empty at random (Table 5, "Rand Select"); ascending."""
    count = min(top_k, len(candidates))
    # without replacement; the seed alone decides, not what was drawn before
    chosen = np.random.default_rng(seed).choice(np.asarray(candidates, dtype=int), count, replace=False)
    return tuple(sorted(chosen.tolist()))
