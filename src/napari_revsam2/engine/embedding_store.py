"""Embeddings that outlive a run: another class, k or mode, a corrected slice, all encode nothing again."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from .intensity_window import Limits
from .propagator import EmbeddingT, Logits, Mask, MemoryBank, MemoryT, PredictionT, Propagator


class StoredEmbeddings(Generic[EmbeddingT, MemoryT, PredictionT]):
    """A `Propagator` that keeps the embeddings of another one, found again by the content of a slice and its limits.

    Parameters
    ----------
    propagator : Propagator
        The network; everything but `embed` goes straight to it.
    """

    def __init__(self, propagator: Propagator[EmbeddingT, MemoryT, PredictionT]) -> None:
        self._network = propagator
        self._kept: dict[bytes, EmbeddingT] = {}

    def __len__(self) -> int:
        """Count the slices kept."""
        return len(self._kept)

    @property
    def batch_size(self) -> int:
        """Slices that are worth computing together."""
        return self._network.batch_size

    @property
    def reach(self) -> int:
        """How many slices back a recent memory still counts."""
        return self._network.reach

    def embed(self, images: Sequence[NDArray[Any]], limits: Sequence[Limits]) -> list[EmbeddingT]:
        """Embed the slices (H, W) that are new, and keep them (Eq. 1, 11)."""
        keys = [_key(image, limit) for image, limit in zip(images, limits, strict=True)]
        new = {key: i for i, key in enumerate(keys) if key not in self._kept}
        if new:
            embeddings = self._network.embed([images[i] for i in new.values()], [limits[i] for i in new.values()])
            self._kept.update(zip(new, embeddings, strict=True))
        return [self._kept[key] for key in keys]

    def clear(self) -> None:
        """Give the memory back."""
        self._kept.clear()

    def remember_masks(self, embeddings: Sequence[EmbeddingT], masks: Sequence[Mask]) -> list[MemoryT]:
        """Remember slices with given masks (H, W) (Eq. 2-3, 6-7, 12-13)."""
        return self._network.remember_masks(embeddings, masks)

    def remember_prediction(self, embedding: EmbeddingT, prediction: PredictionT) -> MemoryT:
        """Remember a slice with its own prediction (the queue of Eq. 14)."""
        return self._network.remember_prediction(embedding, prediction)

    def segment(self, embeddings: Sequence[EmbeddingT], banks: Sequence[MemoryBank[MemoryT]]) -> list[PredictionT]:
        """Segment each slice from its own bank (Eq. 4-5, 8-9, 14-15)."""
        return self._network.segment(embeddings, banks)

    def logits(self, predictions: Sequence[PredictionT], shapes: Sequence[tuple[int, int]]) -> list[Logits]:
        """Mask logits at the slices' own sizes (H, W); positive is foreground."""
        return self._network.logits(predictions, shapes)


def _key(image: NDArray[Any], limits: Limits) -> bytes:
    """Hash of a slice's grey values, shape and limits."""
    described = blake2b(repr((image.dtype.str, image.shape, tuple(map(float, limits)))).encode(), digest_size=20)
    described.update(np.ascontiguousarray(image).data)
    return described.digest()
