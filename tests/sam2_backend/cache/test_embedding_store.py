"""Embeddings are kept by the content of a slice."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import EmbeddingFilesError, NotEnoughMemoryError
from tests.engine.fake_propagator import FakePropagator

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
    mask = np.ones((3, 4), bool)
    assert store.remember_masks(store.embed(images, [LIMITS] * 3), [mask] * 3) == [0, 1, 2]
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


class FakeFiles(dict):
    """Files that are no files; full when told so."""

    full = False

    def load(self, key):
        """Read, or nothing."""
        return self.get(key)

    def save(self, key, embedding) -> None:
        """Write, unless full."""
        if self.full:
            raise EmbeddingFilesError("The disk is full.")
        self[key] = embedding


def slices(count: int) -> list[np.ndarray]:
    """Different slices of 96 bytes."""
    return [np.full((3, 4), float(grey)) for grey in range(count)]


def greys(store: StoredEmbeddings, embedded: list) -> list[float]:
    """The grey values that the network sees."""
    return store.remember_masks(embedded, [np.ones((3, 4), bool)] * len(embedded))


def test_beyond_the_budget_embeddings_are_in_files_and_come_back():
    store = StoredEmbeddings(FakePropagator(), FakeFiles(), memory_budget=2 * 96)
    embedded = store.embed(slices(5), [LIMITS] * 5)
    assert len(store) == 2
    assert greys(store, embedded) == [0, 1, 2, 3, 4]
    assert len(store) == 2


def test_those_used_last_stay_in_memory():
    files, network = FakeFiles(), FakePropagator()
    store = StoredEmbeddings(network, files, memory_budget=2 * 96)
    first, second, third = (store.embed([image], [LIMITS])[0] for image in slices(3))
    greys(store, [second])
    greys(store, [first])  # in place of the third
    files.clear()
    assert greys(store, [second, first]) == [1, 0]
    assert len(network.embedded) == 3
    assert greys(store, [third]) == [2]
    assert len(network.embedded) == 4


def test_what_another_process_removed_is_encoded_again_and_written():
    files, network = FakeFiles(), FakePropagator()
    store = StoredEmbeddings(network, files, memory_budget=0)
    embedded = store.embed(slices(2), [LIMITS] * 2)
    lost = files.pop(embedded[0].key)
    assert greys(store, embedded) == [0, 1]
    assert len(network.embedded) == 3
    np.testing.assert_array_equal(files[embedded[0].key], lost)


def test_what_stands_for_an_embedding_copies_nothing_of_the_volume():
    volume = np.random.default_rng(0).random((4, 3, 4))
    store = StoredEmbeddings(FakePropagator(), FakeFiles(), memory_budget=0)
    embedded = store.embed(list(volume), [LIMITS] * 4)
    assert all(np.shares_memory(each.image, volume) for each in embedded)
    assert len(store) == 0


def test_a_slice_changed_during_the_run_is_not_written_under_the_hash_of_what_it_was():
    files = FakeFiles()
    store = StoredEmbeddings(FakePropagator(), files, memory_budget=0)
    image = np.zeros((3, 4))
    embedded = store.embed([image], [LIMITS])
    files.clear()
    image += 1
    greys(store, embedded)
    assert not files


def test_a_cleared_store_encodes_again_what_a_run_still_needs():
    store = StoredEmbeddings(FakePropagator())
    embedded = store.embed(slices(2), [LIMITS] * 2)
    store.clear()
    assert greys(store, embedded) == [0, 1]


def test_the_next_process_encodes_nothing_that_is_in_files(supports, query):
    files, network = FakeFiles(), FakePropagator()
    first = list(run_revsam2(StoredEmbeddings(FakePropagator(), files), supports, query, RevSAM2Config()))[-1]
    second = list(run_revsam2(StoredEmbeddings(network, files, 0), supports, query, RevSAM2Config()))[-1]
    assert not network.embedded
    np.testing.assert_array_equal(first.segmentation, second.segmentation)


def test_a_full_disk_stops_nothing_while_memory_is_enough():
    files = FakeFiles()
    files.full = True
    store = StoredEmbeddings(FakePropagator(), files, memory_budget=3 * 96)
    assert greys(store, store.embed(slices(3), [LIMITS] * 3)) == [0, 1, 2]
    with pytest.raises(EmbeddingFilesError, match="disk is full"):
        store.embed(slices(4), [LIMITS] * 4)


class Crowded(FakePropagator):
    """A device on which a slice can be segmented only while no more than so many embeddings are in the way."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.store: StoredEmbeddings | None = None

    def remember_masks(self, embeddings, masks):
        """Refuse while it is crowded."""
        if len(self.store) > self.most:
            raise NotEnoughMemoryError("Choose a smaller checkpoint.")
        return super().remember_masks(embeddings, masks)


def test_short_of_memory_embeddings_make_way_once():
    network = Crowded(most=1)
    store = network.store = StoredEmbeddings(network, FakeFiles())
    embedded = store.embed(slices(4), [LIMITS] * 4)
    assert [greys(store, [each]) for each in embedded] == [[0], [1], [2], [3]]
    network.most = -1
    with pytest.raises(NotEnoughMemoryError):
        greys(store, embedded[:1])


def test_without_files_there_is_no_way_to_make():
    network = Crowded(most=1)
    store = network.store = StoredEmbeddings(network)
    with pytest.raises(NotEnoughMemoryError):
        greys(store, store.embed(slices(4), [LIMITS] * 4))
