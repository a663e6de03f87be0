"""Embeddings that outlive a run: another class, k or mode, a corrected slice, all encode nothing again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from napari_revsam2.engine.propagator import Logits, Mask, MemoryBank, MemoryT, PredictionT, Propagator
from napari_revsam2.settings.intensity_window import Limits
from napari_revsam2.vocabulary.errors import EmbeddingFilesError, NotEnoughMemoryError

MEMORY_BUDGET = 2**30
"""Bytes of embeddings that stay in memory while there are files for the rest."""

ResultT = TypeVar("ResultT")


class HasSize(Protocol):
    """An embedding that knows its size."""

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""


StoredT = TypeVar("StoredT", bound=HasSize)


@dataclass(frozen=True)
class EmbeddedSlice:
    """Stands for an embedding, which is in memory or in a file; where it is in neither, the slice is encoded again."""

    key: str
    """Hash of the slice's grey values, shape and limits."""
    image: NDArray[Any] = field(repr=False, compare=False)
    """(H, W) grey values: a view of a volume in memory, or one slice of a lazy one, small beside its embedding."""
    limits: Limits = field(compare=False)


class EmbeddingFiles(Protocol[StoredT]):
    """Embeddings of one network on disk, by key."""

    def __contains__(self, key: str) -> bool:
        """Whether a whole embedding is there."""

    def load(self, key: str) -> StoredT | None:
        """Read an embedding; None where it is gone or damaged."""

    def save(self, key: str, embedding: StoredT) -> None:
        """Write an embedding; raises `EmbeddingFilesError` when there is no room."""


class StoredEmbeddings(Generic[StoredT, MemoryT, PredictionT]):
    """A `Propagator` that keeps the embeddings of another one, found again by the content of a slice and its limits.

    What `embed` returns stands for embeddings that are in memory up to a budget, the last used ones, and in files
    beyond it, so that a run's memory doesn't grow with the number of slices. What is in neither any more, because
    another process trimmed the files, is encoded again.

    Parameters
    ----------
    propagator : Propagator
        The network.
    files : EmbeddingFiles, optional
        Where each new embedding is also written, so that it outlives this process; without them all stay in memory.
    memory_budget : int
        Bytes of embeddings in memory; counts only where there are files.
    """

    def __init__(
        self,
        propagator: Propagator[StoredT, MemoryT, PredictionT],
        files: EmbeddingFiles[StoredT] | None = None,
        memory_budget: int = MEMORY_BUDGET,
    ) -> None:
        self._network = propagator
        self._files = files
        self._in_memory = self._memory_of(math.inf if files is None else memory_budget)
        self._unwritten: EmbeddingFilesError | None = None

    def __len__(self) -> int:
        """Count the slices in memory."""
        return len(self._in_memory)

    @property
    def batch_size(self) -> int:
        """Slices that are worth computing together."""
        return self._network.batch_size

    @property
    def reach(self) -> int:
        """How many slices back a recent memory still counts."""
        return self._network.reach

    @property
    def computed_with(self) -> Mapping[str, str]:
        """Say how the network computes."""
        return self._network.computed_with

    def embed(self, images: Sequence[NDArray[Any]], limits: Sequence[Limits]) -> list[EmbeddedSlice]:
        """Embed the slices (H, W) that are new, and keep them (Eq. 1, 11).

        Raises
        ------
        EmbeddingFilesError
            When memory holds no more and files can't be written.
        """
        keys = [_key(image, limit) for image, limit in zip(images, limits, strict=True)]
        new = {key: i for i, key in enumerate(keys) if key not in self._in_memory and not self._is_in_file(key)}
        if new:
            chosen_images, chosen_limits = [images[i] for i in new.values()], [limits[i] for i in new.values()]
            embeddings = self._offloading(lambda: self._network.embed(chosen_images, chosen_limits))
            for key, embedding in zip(new, embeddings, strict=True):
                self._write(key, embedding)
                self._remember(key, embedding)
        return [EmbeddedSlice(*described) for described in zip(keys, images, limits, strict=True)]

    def clear(self) -> None:
        """Release the memory; files stay."""
        self._in_memory.clear()

    def remember_masks(self, embeddings: Sequence[EmbeddedSlice], masks: Sequence[Mask]) -> list[MemoryT]:
        """Remember slices with given masks (H, W) (Eq. 2-3, 6-7, 12-13)."""
        return self._offloading(lambda: self._network.remember_masks(self._resolved(embeddings), masks))

    def remember_prediction(self, embedding: EmbeddedSlice, prediction: PredictionT) -> MemoryT:
        """Remember a slice with its own prediction (the queue of Eq. 14)."""
        return self._offloading(lambda: self._network.remember_prediction(self._resolved([embedding])[0], prediction))

    def segment(self, embeddings: Sequence[EmbeddedSlice], banks: Sequence[MemoryBank[MemoryT]]) -> list[PredictionT]:
        """Segment each slice from its own bank (Eq. 4-5, 8-9, 14-15)."""
        return self._offloading(lambda: self._network.segment(self._resolved(embeddings), banks))

    def logits(self, predictions: Sequence[PredictionT], shapes: Sequence[tuple[int, int]]) -> list[Logits]:
        """Mask logits at the slices' own sizes (H, W); positive is foreground."""
        return self._offloading(lambda: self._network.logits(predictions, shapes))

    def _offloading(self, compute: Callable[[], ResultT]) -> ResultT:
        """Compute; when the device's memory isn't enough, once more with no embeddings in it but those in use."""
        try:
            return compute()
        except NotEnoughMemoryError:
            if self._files is None or self._unwritten or not self._in_memory:
                raise
        self._in_memory = self._memory_of(0)
        return compute()

    def _resolved(self, slices: Sequence[EmbeddedSlice]) -> list[StoredT]:
        return [self._resolve(embedded) for embedded in slices]

    def _resolve(self, embedded: EmbeddedSlice) -> StoredT:
        key = embedded.key
        if key in self._in_memory:
            return self._in_memory[key]
        embedding = self._files.load(key) if self._files is not None else None
        if embedding is None:
            (embedding,) = self._network.embed([embedded.image], [embedded.limits])
            if _key(embedded.image, embedded.limits) == key:  # else the image was changed in place during the run
                self._write(key, embedding)
        self._remember(key, embedding)
        return embedding

    def _is_in_file(self, key: str) -> bool:
        return self._files is not None and key in self._files

    def _write(self, key: str, embedding: StoredT) -> None:
        if self._files is not None and self._unwritten is None:
            try:
                self._files.save(key, embedding)
            except EmbeddingFilesError as error:
                self._unwritten = error  # memory may be enough

    def _remember(self, key: str, embedding: StoredT) -> None:
        """Keep an embedding in memory instead of those used longest ago."""
        memory = self._in_memory
        if self._unwritten is not None and memory.currsize + embedding.nbytes > memory.maxsize:
            raise self._unwritten
        if embedding.nbytes <= memory.maxsize:
            memory[key] = embedding

    @staticmethod
    def _memory_of(budget: float) -> LRUCache[str, StoredT]:
        """Embeddings that are in memory, up to a number of bytes."""
        return LRUCache(budget, getsizeof=lambda embedding: embedding.nbytes)


def _key(image: NDArray[Any], limits: Limits) -> str:
    """Hash of a slice's grey values, shape and limits."""
    described = blake2b(repr((image.dtype.str, image.shape, tuple(map(float, limits)))).encode(), digest_size=20)
    described.update(np.ascontiguousarray(image).data)
    return described.hexdigest()
