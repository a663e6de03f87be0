"""The engine's network: what it tells of itself, and what a batch may hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_revsam2.engine.propagator import MemoryBank, Remembered
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator

LIMITS = (0.0, 1.0)


def network(name: str = "revsam2-mini", image_size: int = 64) -> Sam2Propagator:
    """A network of random weights."""
    torch.manual_seed(0)
    return Sam2Propagator(next(a for a in ARCHITECTURES if a.name == name).build(image_size))


def noise(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).random((count, 20, 30)))


@pytest.mark.parametrize(("name", "reach"), [("revsam2-mini", 6), ("sam2.1-hiera-tiny", 15)])
def test_a_memory_reaches_as_far_as_the_queue_or_the_object_pointers(name, reach):
    assert network(name).reach == reach


@pytest.mark.parametrize(("image_size", "batch_size"), [(64, 32), (256, 2), (512, 1)])
def test_a_processor_computes_large_images_one_by_one_and_small_ones_together(image_size, batch_size):
    assert network(image_size=image_size).batch_size == batch_size


def test_it_tells_what_it_computes_with():
    assert network().computed_with == {"device": "cpu", "precision": "float32"}


def test_slices_come_back_in_order_and_at_their_own_sizes():
    propagator = network()
    shapes = [(20, 30), (12, 14)]
    embeddings = propagator.embed([np.random.default_rng(1).random(shape) for shape in shapes], [LIMITS] * 2)
    memories = propagator.remember_masks(embeddings, [np.ones(shape, bool) for shape in shapes])
    banks = [MemoryBank(1, 2, (Remembered(0, memory),)) for memory in memories]
    found = propagator.logits(propagator.segment(embeddings, banks), shapes)
    assert [logits.shape for logits in found] == shapes
    alone = propagator.logits(propagator.segment(embeddings[1:], banks[1:]), shapes[1:])
    np.testing.assert_allclose(found[1], alone[0], rtol=0, atol=1e-3)


def test_banks_of_different_layouts_are_refused_in_one_batch():
    propagator = network()
    embeddings = propagator.embed(noise(2), [LIMITS] * 2)
    (memory,) = propagator.remember_masks(embeddings[:1], [np.ones((20, 30), bool)])
    banks = [MemoryBank(position, 3, (Remembered(0, memory),)) for position in (1, 2)]
    with pytest.raises(ValueError, match="same positions"):
        propagator.segment(embeddings, banks)
