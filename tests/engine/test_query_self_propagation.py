"""Query self propagation: from the conditional slices to the whole query."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.events import Stage
from napari_revsam2.engine.propagator import Remembered
from napari_revsam2.engine.query_self_propagation import fifo_propagation, query_self_propagation

from .conftest import BRIGHT, GREY
from .fake_propagator import FakePropagator
from .stages import task_of

KEPT = {i: np.full((14, 13), float(i), np.float32) for i in (2, 6)}
"""Logits of two conditional slices, which no network would predict."""


def sweep(network, supports, query, memories, kept):
    return list(query_self_propagation(task_of(network, supports, query), memories, kept))


def test_conditional_slices_keep_their_logits_and_the_others_are_segmented_in_order(supports, query):
    events = sweep(FakePropagator(), supports, query, {6: 100.0, 2: 100.0}, KEPT)
    assert [(event.stage, event.label, event.index) for event in events] == [
        (Stage.SELF, BRIGHT, index) for index in range(8)
    ]
    for event, image in zip(events, query.slices, strict=True):
        wanted = KEPT.get(event.index, 10 - np.abs(image - GREY[BRIGHT]))
        np.testing.assert_array_equal(event.logits, wanted)


@pytest.mark.parametrize("reach", [1, 2, 6])
def test_a_bank_holds_all_conditional_slices_and_the_predicted_ones_within_reach(supports, query, reach):
    network = FakePropagator(reach=reach)
    sweep(network, supports, query, {6: 100.0, 2: 100.0}, KEPT)
    assert [bank.position for bank in network.banks] == [0, 1, 3, 4, 5, 7]
    for bank in network.banks:
        assert bank.video_length == 8
        assert bank.conditional == (Remembered(2, 100.0), Remembered(6, 100.0))
        within = [i for i in range(bank.position - reach, bank.position) if i in (0, 1, 3, 4, 5)]
        assert [recent.position for recent in bank.recent] == within


def test_what_is_kept_without_a_memory_is_in_no_bank(supports, query):
    network = FakePropagator()
    sweep(network, supports, query, {2: 100.0}, KEPT)
    assert all([r.position for r in bank.conditional] == [2] for bank in network.banks)


def test_a_query_of_conditional_slices_alone_asks_nothing_of_the_network(supports, query):
    network = FakePropagator()
    kept = dict.fromkeys(range(8), KEPT[2])
    assert len(sweep(network, supports, query, dict.fromkeys(range(8), 100.0), kept)) == 8
    assert network.n_calls == 0


def test_mode_fifo_begins_where_the_supports_end(supports, query):
    network = FakePropagator(reach=2)
    remembered = tuple(Remembered(position, 100.0) for position in range(4))
    events = list(fifo_propagation(task_of(network, supports, query), remembered))
    assert [event.index for event in events] == list(range(8))
    assert [bank.position for bank in network.banks] == list(range(4, 12))
    assert all(bank.video_length == 12 and bank.conditional == remembered for bank in network.banks)
    assert [r.position for r in network.banks[-1].recent] == [9, 10]
