"""Anatomies and the patients who share one."""

from __future__ import annotations

import numpy as np
from training.anatomy import GRID, random_anatomy


def test_easy_anatomies_have_fewer_structures() -> None:
    counts = {easy: [len(random_anatomy(np.random.default_rng(i), easy).targets) for i in range(9)] for easy in (0, 1)}
    assert np.mean(counts[1]) < 0.8 * np.mean(counts[0])


def test_patients_of_one_anatomy_differ_but_share_their_organs() -> None:
    rng = np.random.default_rng(8)
    anatomy = random_anatomy(rng)
    first, second = anatomy.patient(rng), anatomy.patient(rng)
    assert first.shape == GRID
    assert 0.01 < (first != second).mean() < 0.6
    shared = set(np.unique(first)) & set(np.unique(second))
    assert len(shared) > 0.7 * len(set(np.unique(first)))
