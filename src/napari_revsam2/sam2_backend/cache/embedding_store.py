"""Embeddings that outlive a run: another class, k or mode, a corrected slice, all encode nothing again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
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
    """Stands for an embedding, which is in memory or in a file."""

    key: str
    """Hash of the slice's grey values, shape and limits."""


class EmbeddingFiles(Protocol[StoredT]):
    """Embeddings of one network on disk, by key."""

    def __contains__(self, key: str) -> bool:
        """Whether a whole embedding is there."""

    def load(self, key: str) -> StoredT:
        """Read an embedding; raises `EmbeddingFilesError` when it is gone."""

    def save(self, key: str, embedding: StoredT) -> None:
        """Write an embedding; raises `EmbeddingFilesError` when there is no room."""


class StoredEmbeddings(Generic[StoredT, MemoryT, PredictionT]):
    """A `Propagator` that keeps the embeddings of another one, found again by the content of a slice and its limits.

    What `embed` gives stands for embeddings that are in memory up to a budget, the last used ones, and in files beyond
    it, so that a run's memory doesn't grow with the number of slices.

    Parameters
    ----------
    propagator : Propagator
        The network.
    files : EmbeddingFiles, optional
        Where each new embedding is also written, so that it outlives this process; without them all stay in memory.
    memory_budget : int
        Bytes of embeddings in memory, at least one embedding's; counts only where there are files.
    """

    def __init__(
        self,
        propagator: Propagator[StoredT, MemoryT, PredictionT],
        files: EmbeddingFiles[StoredT] | None = None,
        memory_budget: int = MEMORY_BUDGET,
    ) -> None:
        self._network = propagator
        self._files = files
        self._budget = memory_budget
        self._in_memory: OrderedDict[str, StoredT] = OrderedDict()  # the one used last comes last
        self._bytes = 0
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
        return [EmbeddedSlice(key) for key in keys]

    def clear(self) -> None:
        """Give the memory back; files stay."""
        self._in_memory.clear()
        self._bytes = 0

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
            if self._files is None or self._unwritten or self._budget == 0:
                raise
        self._budget = 0
        self.clear()
        return compute()

    def _resolved(self, slices: Sequence[EmbeddedSlice]) -> list[StoredT]:
        return [self._resolve(embedded.key) for embedded in slices]

    def _resolve(self, key: str) -> StoredT:
        if key in self._in_memory:
            self._in_memory.move_to_end(key)
            return self._in_memory[key]
        if self._files is None:
            raise KeyError(key)  # of another store, or from before `clear`
        embedding = self._files.load(key)
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
        """Keep an embedding in memory, and let go of those used longest ago when they are too many."""
        self._in_memory[key] = embedding
        self._bytes += embedding.nbytes
        while self._files is not None and self._bytes > self._budget and len(self._in_memory) > 1:
            if self._unwritten is not None:
                raise self._unwritten
            self._bytes -= self._in_memory.popitem(last=False)[1].nbytes


def _key(image: NDArray[Any], limits: Limits) -> str:
    """Hash of a slice's grey values, shape and limits."""
    described = blake2b(repr((image.dtype.str, image.shape, tuple(map(float, limits)))).encode(), digest_size=20)
    described.update(np.ascontiguousarray(image).data)
    return described.hexdigest()
