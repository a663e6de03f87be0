"""What the engine asks of a segmentation network with a memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.settings.intensity_window import Limits

EmbeddingT = TypeVar("EmbeddingT")
ItemT = TypeVar("ItemT")
MemoryT = TypeVar("MemoryT")
PredictionT = TypeVar("PredictionT")
Mask = NDArray[np.bool_]
Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Remembered(Generic[MemoryT]):
    """A slice in memory, and its position in the video of which it is a frame."""

    position: int
    memory: MemoryT


@dataclass(frozen=True)
class MemoryBank(Generic[MemoryT]):
    """What one slice is segmented from (section 3.3): the right side of the bar in Eq. 4, 8 and 14.

    Attributes
    ----------
    position : int
        Position of the slice to segment.
    video_length : int
        Frames of the video as the reference has it (SAM 2.1 scales pointer distances by it).
    conditional : tuple of Remembered
        Slices with given masks; all of them are attended to.
    recent : tuple of Remembered
        Predicted slices before this one, oldest first; the network takes those within its queue.
    """

    position: int
    video_length: int
    conditional: tuple[Remembered[MemoryT], ...]
    recent: tuple[Remembered[MemoryT], ...] = ()


class Propagator(Protocol[EmbeddingT, MemoryT, PredictionT]):
    """A network that embeds slices, remembers them with masks, and segments slices from memory.

    All calls take batches of independent slices; what they return stays on the network's device and is opaque here.
    """

    @property
    def batch_size(self) -> int:
        """Slices that are worth computing together."""

    @property
    def reach(self) -> int:
        """How many slices back a recent memory still counts (tau in Eq. 14, and the object pointers' reach)."""

    @property
    def computed_with(self) -> Mapping[str, str]:
        """What of the machine has a say in the numbers, such as ``device`` and ``precision``; for provenance."""

    def embed(self, images: Sequence[NDArray[Any]], limits: Sequence[Limits]) -> list[EmbeddingT]:
        """Embed slices (H, W) with their grey limits (Eq. 1, 11)."""

    def remember_masks(self, embeddings: Sequence[EmbeddingT], masks: Sequence[Mask]) -> list[MemoryT]:
        """Remember slices with given masks (H, W) (Eq. 2-3, 6-7, 12-13)."""

    def remember_prediction(self, embedding: EmbeddingT, prediction: PredictionT) -> MemoryT:
        """Remember a slice with its own prediction (the queue of Eq. 14)."""

    def segment(self, embeddings: Sequence[EmbeddingT], banks: Sequence[MemoryBank[MemoryT]]) -> list[PredictionT]:
        """Segment each slice from its own bank; the banks of one call have the same layout (Eq. 4-5, 8-9, 14-15)."""

    def logits(self, predictions: Sequence[PredictionT], shapes: Sequence[tuple[int, int]]) -> list[Logits]:
        """Mask logits at the slices' own sizes (H, W); positive is foreground."""


def in_batches(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Yield ``items`` in runs of ``size`` (`Propagator.batch_size`), the last one shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
