"""A network that needs no model: a slice is foreground where its grey value is near that of the remembered masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.propagator import Logits, Mask, MemoryBank
from napari_revsam2.settings.intensity_window import Limits

Image = NDArray[Any]


class FakePropagator:
    """Embeddings are images, memories their mean foreground grey value, predictions logits; calls are recorded."""

    def __init__(self, batch_size: int = 3, reach: int = 6) -> None:
        self.batch_size = batch_size
        self.reach = reach
        self.embedded: list[Image] = []
        self.banks: list[MemoryBank[float]] = []
        self.batch_lengths: list[int] = []
        self.n_calls = 0
        self.computed_with = {"device": "cpu"}

    def embed(self, images: Sequence[Image], limits: Sequence[Limits]) -> list[Image]:
        """Record and return the images."""
        assert len(images) == len(limits)
        self.n_calls += 1
        self.embedded += images
        return list(images)

    def remember_masks(self, embeddings: Sequence[Image], masks: Sequence[Mask]) -> list[float]:
        """Mean grey value under each mask; an empty mask may not be remembered."""
        self.n_calls += 1
        assert all(mask.any() for mask in masks)
        return [float(image[mask].mean()) for image, mask in zip(embeddings, masks, strict=True)]

    def remember_prediction(self, embedding: Image, prediction: Logits) -> float:
        """Mean grey value under the prediction, nan where it is empty."""
        self.n_calls += 1
        mask = prediction > 0
        return float(embedding[mask].mean()) if mask.any() else float("nan")

    def segment(self, embeddings: Sequence[Image], banks: Sequence[MemoryBank[float]]) -> list[Logits]:
        """Positive within 10 grey values of the bank's mean."""
        assert len(embeddings) == len(banks) <= max(self.batch_size, 1)
        self.n_calls += 1
        self.banks += banks
        self.batch_lengths.append(len(banks))
        values = [np.nanmean([r.memory for r in (*bank.conditional, *bank.recent)]) for bank in banks]
        return [
            (10 - np.abs(image - value)).astype(np.float32) for image, value in zip(embeddings, values, strict=True)
        ]

    def logits(self, predictions: Sequence[Logits], shapes: Sequence[tuple[int, int]]) -> list[Logits]:
        """The predictions, whose shapes must be the slices' own."""
        self.n_calls += 1
        assert [p.shape for p in predictions] == list(shapes)
        return list(predictions)
