"""SAM 2's steps on batches: the same numbers as one by one, and as the stock network's own encoder."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.sam2_memory import (
    MemoryEntry,
    SliceEmbeddings,
    TensorBatch,
    embed_slices,
    remember_masks,
    remember_prediction,
    segment_from_memory,
)

SIZE = 64


@pytest.fixture(scope="module", params=["revsam2-mini", "sam2-hiera-tiny", "sam2.1-hiera-tiny"])
def model(request: pytest.FixtureRequest) -> SAM2Base:
    """Networks without and with object pointers, and with position codes for them, of random weights."""
    torch.manual_seed(0)
    model = next(a for a in ARCHITECTURES if a.name == request.param).build(image_size=SIZE)
    if model.pred_obj_scores:  # where no object is seen, all logits are the same
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.data += 1
    return model


@pytest.fixture(autouse=True)
def without_gradients() -> object:
    """Compute as the engine does."""
    with torch.inference_mode():
        yield


def images(count: int) -> Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def masks(count: int) -> Tensor:
    return (torch.rand(count, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(2)) > 0.5).float()


def assert_close(found: TensorBatch, expected: TensorBatch) -> None:
    for each in fields(found):
        torch.testing.assert_close(getattr(found, each.name), getattr(expected, each.name), rtol=1e-3, atol=1e-4)


def test_embeddings_are_those_of_the_stock_encoder(model: SAM2Base) -> None:
    found, stock = embed_slices(model, images(2)), model.forward_image(images(2))["backbone_fpn"]
    for ours, theirs in zip((found.fine, found.middle, found.top), stock, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_batch_gives_what_its_slices_give_one_by_one(model: SAM2Base) -> None:
    embeddings = embed_slices(model, images(3))
    memories = remember_masks(model, embeddings, masks(3))
    bank = [MemoryEntry(memories[:1], pointer_distance=2), MemoryEntry(memories, recency=6, pointer_distance=1)]
    found = segment_from_memory(model, embeddings, bank, pointer_span=3)
    remembered = remember_prediction(model, embeddings, found)
    for i, one in enumerate(embeddings.split()):
        assert_close(one, embed_slices(model, images(3)[i : i + 1]))
        assert_close(remember_masks(model, one, masks(3)[i : i + 1]), memories[i : i + 1])
        own = [bank[0], MemoryEntry(memories[i : i + 1], recency=6, pointer_distance=1)]
        alone = segment_from_memory(model, one, own, pointer_span=3)
        assert_close(alone, found[i : i + 1])
        assert_close(remember_prediction(model, one, alone), remembered[i : i + 1])


def test_what_is_in_memory_changes_the_segmentation(model: SAM2Base) -> None:
    embeddings = embed_slices(model, images(1))
    logits = [
        segment_from_memory(model, embeddings, [MemoryEntry(remember_masks(model, embeddings, mask))], 1).logits
        for mask in (masks(1), 1 - masks(1))
    ]
    assert (logits[0] != logits[1]).any()


BATCH = SliceEmbeddings(torch.rand(3, 4, 2, 2), torch.rand(3, 2, 4, 4), torch.rand(3, 1, 8, 8))


def test_a_batch_that_is_split_and_joined_is_the_same() -> None:
    parts = BATCH.split()
    assert [len(part) for part in parts] == [1, 1, 1]
    joined = SliceEmbeddings.join(parts)
    for each in fields(BATCH):
        torch.testing.assert_close(getattr(joined, each.name), getattr(BATCH, each.name), rtol=0, atol=0)


def test_the_bytes_of_a_batch_are_those_of_its_tensors() -> None:
    assert BATCH.nbytes == 4 * 3 * (4 * 2 * 2 + 2 * 4 * 4 + 8 * 8)


def test_a_copy_keeps_no_other_slice_of_the_batch_in_memory() -> None:
    copy = BATCH[1:2].copied()
    assert copy.top.untyped_storage().nbytes() == copy.top.nbytes
    assert copy.top.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(copy.top, BATCH.top[1:2], rtol=0, atol=0)
