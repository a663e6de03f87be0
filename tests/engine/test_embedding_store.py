"""Embeddings are kept by the content of a slice."""

from __future__ import annotations

import numpy as np

from napari_revsam2.engine.config import RevSAM2Config
from napari_revsam2.engine.embedding_store import StoredEmbeddings
from napari_revsam2.engine.pipeline import run_revsam2

from .fake_propagator import FakePropagator

LIMITS = (0.0, 100.0)


def test_a_second_run_embeds_nothing_and_finds_the_same(supports, query):
    network = FakePropagator()
    store = StoredEmbeddings(network)
    first = list(run_revsam2(store, supports, query, RevSAM2Config()))[-1]
    embedded = len(network.embedded)
    second = list(run_revsam2(store, supports, query, RevSAM2Config(top_k=2)))[-1]
    assert 0 < embedded == len(network.embedded) == len(store)
    np.testing.assert_array_equal(first.segmentation, second.segmentation)


def test_a_changed_slice_other_limits_another_type_or_shape_are_embedded_anew():
    network = FakePropagator()
    store = StoredEmbeddings(network)
    image = np.arange(12.0).reshape(3, 4)
    changed = image.copy()
    changed[1, 1] += 1
    variants = [image, changed, image.astype(np.float32), image.reshape(4, 3), image]
    store.embed(variants, [LIMITS, LIMITS, LIMITS, LIMITS, (0.0, 50.0)])
    assert len(network.embedded) == len(store) == len(variants)


def test_only_the_new_slices_of_a_batch_are_embedded_and_order_is_kept():
    network = FakePropagator()
    store = StoredEmbeddings(network)
    images = [np.full((3, 4), float(grey)) for grey in range(3)]
    store.embed([images[1]], [LIMITS])
    embeddings = store.embed(images, [LIMITS] * 3)
    assert [float(e.mean()) for e in embeddings] == [0, 1, 2]
    assert len(network.embedded) == 3


def test_a_view_with_negative_strides_is_the_same_slice():
    network = FakePropagator()
    store = StoredEmbeddings(network)
    image = np.arange(12.0).reshape(3, 4)
    store.embed([image[::-1], np.ascontiguousarray(image[::-1])], [LIMITS] * 2)
    assert len(store) == 1


def test_cleared_it_holds_nothing():
    store = StoredEmbeddings(FakePropagator())
    store.embed([np.zeros((3, 4))], [LIMITS])
    store.clear()
    assert len(store) == 0
