"""Reverse propagation: whether a query slice's mask finds the supports' labels again."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.events import BatchFinished, SliceScored
from napari_revsam2.engine.problem import QueryVolume, SupportSet, stack_supports
from napari_revsam2.engine.propagator import Remembered
from napari_revsam2.engine.reverse_propagation import reverse_propagation

from .conftest import BRIGHT, DARK, GREY, paint
from .fake_propagator import FakePropagator
from .stages import task_of


def scored(task, masks):
    """Memory and score of each slice."""
    steps = [step for step in reverse_propagation(task, masks) if not isinstance(step, BatchFinished)]
    return [memory for memory, _ in steps], [event for _, event in steps]


def masks_of(query: QueryVolume, grey: float) -> dict[int, np.ndarray]:
    return {i: np.asarray(image == grey) for i, image in enumerate(query.slices)}


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_mask_that_finds_the_labels_again_scores_1_and_one_that_finds_another_class_0(supports, query, batch_size):
    task = task_of(FakePropagator(batch_size), supports, query)
    masks = masks_of(query, GREY[BRIGHT])
    masks[5] = query.slices[5] == GREY[DARK]
    memories, events = scored(task, masks)
    assert events == [SliceScored(BRIGHT, i, 0.0 if i in (0, 5) else 1.0) for i in range(8)]
    assert memories == [None, 100.0, 100.0, 100.0, 100.0, 50.0, 100.0, 100.0]


def test_the_score_is_the_mean_of_the_supports_dice():
    image, labels = paint((4, 10, 12))  # 16 voxels on each of 3 slices
    labels[2, 4:6, 2:6] = 0  # half of it is left: Dice 2 * 8 / (16 + 8)
    labels[3, 6:8, 2:6] = BRIGHT  # half again too large: Dice 2 * 16 / (16 + 24)
    supports = SupportSet(stack_supports(image, labels, (0.0, 100.0)))
    query = QueryVolume(image[1:2], (0.0, 100.0))
    network = FakePropagator()
    _, (event,) = scored(task_of(network, supports, query), masks_of(query, GREY[BRIGHT]))
    assert event.reverse_score == pytest.approx((1 + 2 / 3 + 0.8) / 3)


def test_each_video_is_a_query_slice_and_then_one_support(supports, query):
    network = FakePropagator()
    list(reverse_propagation(task_of(network, supports, query), masks_of(query, GREY[BRIGHT])))
    assert len(network.banks) == 7 * 4  # slice 0 shows nothing
    for bank in network.banks:
        assert (bank.position, bank.video_length, bank.recent) == (1, 2, ())
        assert bank.conditional == (Remembered(0, GREY[BRIGHT]),)


def test_where_every_mask_is_empty_the_network_is_not_asked(supports, query):
    network = FakePropagator()
    memories, events = scored(task_of(network, supports, query), {i: np.zeros((14, 13), bool) for i in range(8)})
    assert network.n_calls == 0
    assert memories == [None] * 8
    assert [event.reverse_score for event in events] == [0.0] * 8
