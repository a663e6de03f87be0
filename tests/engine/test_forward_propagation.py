"""Forward propagation: from the supports to every query slice."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.events import Stage
from napari_revsam2.engine.forward_propagation import forward_propagation
from napari_revsam2.engine.propagator import Remembered

from .conftest import BRIGHT
from .fake_propagator import FakePropagator
from .stages import task_of

SUPPORTS = tuple(Remembered(position, grey) for position, grey in enumerate((98.0, 100.0, 102.0, 100.0)))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_each_slice_is_segmented_from_the_supports_alone(supports, query, batch_size):
    task = task_of(FakePropagator(batch_size), supports, query)
    steps = list(forward_propagation(task, SUPPORTS))
    assert [event.index for _, event in steps] == list(range(8))
    for (prediction, event), image in zip(steps, query.slices, strict=True):
        assert (event.stage, event.label) == (Stage.FORWARD, BRIGHT)
        np.testing.assert_array_equal(event.logits, 10 - np.abs(image - 100.0))
        np.testing.assert_array_equal(prediction, event.logits)


def test_the_query_slice_is_the_frame_after_the_supports(supports, query):
    network = FakePropagator()
    list(forward_propagation(task_of(network, supports, query), SUPPORTS))
    assert len(network.banks) == 8
    for bank in network.banks:
        assert (bank.position, bank.video_length, bank.conditional, bank.recent) == (4, 5, SUPPORTS, ())
