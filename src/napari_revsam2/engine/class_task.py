"""One class of a run: what the stages of the paper hand on to each other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic

from .events import BatchFinished
from .problem import SupportSlice
from .propagator import EmbeddingT, Mask, MemoryT, PredictionT, Propagator, Remembered


@dataclass(frozen=True)
class ClassTask(Generic[EmbeddingT, MemoryT, PredictionT]):
    """Segment one class in the query, given N embedded supports and M embedded query slices.

    Attributes
    ----------
    propagator : Propagator
        The network.
    label : int
        The class (``Y`` is 1 where a support's labels equal it).
    supports : tuple of SupportSlice
        The N supports.
    support_embeddings, query_embeddings : sequence
        ``Z^S`` (N) and ``z^q`` (M).
    query_shape : (int, int)
        Height and width of a query slice.
    """

    propagator: Propagator[EmbeddingT, MemoryT, PredictionT]
    label: int
    supports: tuple[SupportSlice, ...]
    support_embeddings: Sequence[EmbeddingT]
    query_embeddings: Sequence[EmbeddingT]
    query_shape: tuple[int, int]

    @property
    def n_query(self) -> int:
        """Count the query slices (M)."""
        return len(self.query_embeddings)

    def remember_supports(self) -> Generator[BatchFinished, None, tuple[Remembered[MemoryT], ...]]:
        """Supports with their labels in memory, as frames 0 to N-1 (Eq. 2-3)."""
        memories: list[MemoryT] = []
        size = self.propagator.batch_size
        for start in range(0, len(self.supports), size):
            # Y_j (H, W), binary: 1 where the labels are this class
            masks = [support.mask(self.label) for support in self.supports[start : start + size]]
            # Eq. 2: Z^Y = E^P(Y); Eq. 3: Ż^S = E^M(Z^S, Z^Y)
            memories += self.propagator.remember_masks(self.support_embeddings[start : start + size], masks)
            yield BatchFinished()
        # the N frames that the video of the reference begins with, in the order the supports have
        return tuple(Remembered(position, memory) for position, memory in enumerate(memories))

    def remember_query(self, index: int, mask: Mask) -> MemoryT:
        """Remember a query slice with a mask (H, W) (Eq. 6-7, 11-13)."""
        return self.propagator.remember_masks([self.query_embeddings[index]], [mask])[0]
