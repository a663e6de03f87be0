"""Each slice through the image encoder, once."""

from __future__ import annotations

import pytest

from napari_revsam2.engine.embedding import embed_query, embed_supports
from napari_revsam2.engine.events import SliceEmbedded

from .fake_propagator import FakePropagator


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_slices_are_embedded_once_and_in_order_whatever_the_batches(supports, query, batch_size):
    network = FakePropagator(batch_size)
    of_supports = list(embed_supports(network, supports.slices))
    of_query = list(embed_query(network, query))
    assert [event for _, event in of_supports] == [SliceEmbedded(i, is_query=False) for i in (1, 2, 3, 4)]
    assert [event for _, event in of_query] == [SliceEmbedded(i, is_query=True) for i in range(8)]
    images = [support.image for support in supports.slices] + list(query.slices)
    embedded = [embedding for embedding, _ in of_supports + of_query]
    assert all((given == found).all() for given, found in zip(images, embedded, strict=True))
    assert network.n_calls == -(-4 // batch_size) + -(-8 // batch_size)


def test_only_the_slices_of_one_batch_are_read_at_a_time(query):
    network = FakePropagator(batch_size=3)
    steps = embed_query(network, query)
    next(steps)
    assert len(network.embedded) == 3
