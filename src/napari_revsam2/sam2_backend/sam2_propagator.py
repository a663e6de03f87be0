"""The engine's network: SAM 2, in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from sam2.modeling.sam2_base import SAM2Base

from napari_revsam2.engine.propagator import Logits, Mask, MemoryBank, Remembered, in_batches
from napari_revsam2.settings.intensity_window import Limits
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError

from . import sam2_memory
from .device import give_back_unused, translated_memory_errors
from .sam2_memory import MemoryEntry, Segmentation, SliceEmbeddings, SliceMemories
from .slice_preprocessing import check_finite, logits_to_size, mask_to_tensor, slice_to_tensor

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_BATCH_PIXELS = 2**17
"""Pixels of images that a CPU computes together: small images wait for the calls between them, large ones for the
processor's caches (`benchmarks/speed.py batches`)."""


class Sam2Propagator:
    """Runs a SAM 2 network for the engine; implements `napari_revsam2.engine.propagator.Propagator`.

    Embeddings, memories and predictions are batches of one, kept on the network's device.

    Parameters
    ----------
    model : SAM2Base
        The network in evaluation mode on its device, or a ``SAM2VideoPredictor``, which is one.
    batch_size : int, optional
        Slices computed together, by default what suits device and image size; halved for good when the device's memory
        doesn't suffice.
    precision : torch.dtype
        What matrix products are computed in; all else follows PyTorch's autocast.
    """

    def __init__(self, model: SAM2Base, batch_size: int | None = None, precision: torch.dtype = torch.float32) -> None:
        self.model = model
        self.batch_size = batch_size or _batch_size(model)
        self.precision = precision

    @property
    def reach(self) -> int:
        """How many slices back a recent memory still counts."""
        pointers = self.model.max_obj_ptrs_in_encoder - 1 if self.model.use_obj_ptrs_in_encoder else 0
        return int(max(self.model.num_maskmem - 1, pointers))

    @property
    def computed_with(self) -> Mapping[str, str]:
        """Say which device and precision were chosen."""
        return {"device": self.model.device.type, "precision": str(self.precision).removeprefix("torch.")}

    @torch.inference_mode()
    def embed(self, images: Sequence[NDArray[Any]], limits: Sequence[Limits]) -> list[SliceEmbeddings]:
        """Embed slices (H, W) with their grey limits (Eq. 1, 11).

        Raises
        ------
        RunError
            When what the network computes isn't finite.
        NotEnoughMemoryError
            When a single slice is too much.
        """
        return self._within_memory(self._embed, list(zip(images, limits, strict=True)))

    @torch.inference_mode()
    def remember_masks(self, embeddings: Sequence[SliceEmbeddings], masks: Sequence[Mask]) -> list[SliceMemories]:
        """Remember slices with given masks (H, W) (Eq. 2-3, 6-7, 12-13).

        Raises
        ------
        NotEnoughMemoryError
            When a single slice is too much.
        """
        return self._within_memory(self._remember_masks, list(zip(embeddings, masks, strict=True)))

    @torch.inference_mode()
    def remember_prediction(self, embedding: SliceEmbeddings, prediction: Segmentation) -> SliceMemories:
        """Remember a slice with its own prediction (the queue of Eq. 14).

        Raises
        ------
        NotEnoughMemoryError
            When a single slice is too much.
        """
        return self._within_memory(self._remember_prediction, [(embedding, prediction)])[0]

    @torch.inference_mode()
    def segment(
        self, embeddings: Sequence[SliceEmbeddings], banks: Sequence[MemoryBank[SliceMemories]]
    ) -> list[Segmentation]:
        """Segment each slice from its own bank (Eq. 4-5, 8-9, 14-15).

        Raises
        ------
        ValueError
            When the banks differ in layout (positions or number of memories).
        RunError
            When what the network computes isn't finite.
        NotEnoughMemoryError
            When a single slice is too much.
        """
        layouts = {_layout(bank) for bank in banks}
        if len(layouts) != 1:
            raise ValueError("the memory banks of one batch must have the same positions")
        return self._within_memory(self._segment, list(zip(embeddings, banks, strict=True)))

    @torch.inference_mode()
    def logits(self, predictions: Sequence[Segmentation], shapes: Sequence[tuple[int, int]]) -> list[Logits]:
        """Mask logits at the slices' own sizes (H, W); positive is foreground.

        Raises
        ------
        NotEnoughMemoryError
            When a single slice is too much.
        """
        with translated_memory_errors():
            return [logits_to_size(p.logits, shape) for p, shape in zip(predictions, shapes, strict=True)]

    def _within_memory(
        self, compute: Callable[[Sequence[ItemT]], list[ResultT]], items: Sequence[ItemT]
    ) -> list[ResultT]:
        """Compute a result for each item, in batches as large as the device's memory allows."""
        while True:
            size = min(self.batch_size, len(items))
            try:
                with translated_memory_errors(), self._autocast():
                    return [result for batch in in_batches(items, size) for result in compute(batch)]
            except NotEnoughMemoryError:
                if size == 1:
                    raise
            # Out here the error is gone, and with it the tensors that its traceback held.
            self.batch_size = size // 2
            give_back_unused()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.model.device.type, self.precision, enabled=self.precision is not torch.float32)

    def _embed(self, slices: Sequence[tuple[NDArray[Any], Limits]]) -> list[SliceEmbeddings]:
        tensors = torch.stack([slice_to_tensor(image, limits, self.model.image_size) for image, limits in slices])
        embeddings = sam2_memory.embed_slices(self.model, tensors.to(self.model.device))
        check_finite(embeddings.top, embeddings.middle, embeddings.fine)  # before anything keeps them
        return [embedding.copied() for embedding in embeddings.split()]

    def _remember_masks(self, slices: Sequence[tuple[SliceEmbeddings, Mask]]) -> list[SliceMemories]:
        embeddings, masks = zip(*slices, strict=True)
        tensors = torch.stack([mask_to_tensor(mask, self.model.image_size) for mask in masks])
        joined = SliceEmbeddings.join(embeddings)
        return sam2_memory.remember_masks(self.model, joined, tensors.to(self.model.device)).split()

    def _remember_prediction(self, slices: Sequence[tuple[SliceEmbeddings, Segmentation]]) -> list[SliceMemories]:
        return [sam2_memory.remember_prediction(self.model, *embedded) for embedded in slices]

    def _segment(self, slices: Sequence[tuple[SliceEmbeddings, MemoryBank[SliceMemories]]]) -> list[Segmentation]:
        embeddings, banks = zip(*slices, strict=True)
        entries, pointer_span = self._entries(banks)
        joined = SliceEmbeddings.join(embeddings)
        found = sam2_memory.segment_from_memory(self.model, joined, entries, pointer_span)
        # The score too: where it is NaN, the decoder takes the object for absent and writes finite logits.
        check_finite(found.logits, found.object_score)
        return found.split()

    def _entries(self, banks: Sequence[MemoryBank[SliceMemories]]) -> tuple[list[MemoryEntry], int]:
        """Put the banks into one list of (batched) entries in the predictor's order; and the pointers' span."""
        first, model = banks[0], self.model
        span = min(first.video_length, model.max_obj_ptrs_in_encoder) - 1
        entries = []
        for i, remembered in enumerate(first.conditional):
            distance = first.position - remembered.position
            past_only = model.only_obj_ptrs_in_the_past_for_eval
            pointer = distance if model.use_signed_tpos_enc_to_obj_ptrs else abs(distance)
            memory = _joined_memory([bank.conditional[i] for bank in banks])
            entries.append(MemoryEntry(memory, pointer_distance=None if past_only and distance < 0 else pointer))
        for i, remembered in enumerate(first.recent):
            distance = first.position - remembered.position
            entries.append(
                MemoryEntry(
                    _joined_memory([bank.recent[i] for bank in banks]),
                    recency=model.num_maskmem - distance,
                    has_spatial=distance < model.num_maskmem,
                    pointer_distance=distance if distance <= span else None,
                )
            )
        return entries, span


def _batch_size(model: SAM2Base) -> int:
    return max(1, _BATCH_PIXELS // model.image_size**2) if model.device.type == "cpu" else 4


def _layout(bank: MemoryBank[SliceMemories]) -> tuple[Any, ...]:
    return (
        bank.position,
        bank.video_length,
        tuple(r.position for r in bank.conditional),
        tuple(r.position for r in bank.recent),
    )


def _joined_memory(remembered: Sequence[Remembered[SliceMemories]]) -> SliceMemories:
    """One memory that serves the whole batch where it is the same, else one for each slice."""
    memories = [r.memory for r in remembered]
    return memories[0] if all(m is memories[0] for m in memories) else SliceMemories.join(memories)
