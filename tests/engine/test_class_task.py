"""One class of a run."""

from __future__ import annotations

import numpy as np

from napari_revsam2.engine.propagator import Remembered

from .conftest import BRIGHT, DARK, GREY
from .fake_propagator import FakePropagator
from .stages import returned, task_of


def test_supports_are_remembered_with_their_masks_as_the_first_frames(supports, query):
    task = task_of(FakePropagator(batch_size=3), supports, query, DARK)
    batches, remembered = returned(task.remember_supports())
    assert remembered == tuple(Remembered(position, GREY[DARK]) for position in range(4))
    assert len(batches) == 2  # 3 + 1 supports: a run can be closed after each


def test_a_query_slice_is_remembered_with_the_mask_it_is_given(supports, query):
    task = task_of(FakePropagator(), supports, query)
    assert task.n_query == 8
    whole = np.ones((14, 13), bool)
    assert task.remember_query(3, whole) == query.slices[3].mean()
    assert task.remember_query(3, query.slices[3] == GREY[BRIGHT]) == GREY[BRIGHT]
