"""Each slice through the image encoder, once (Eq. 1 and 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from napari_revsam2.vocabulary.batches import in_batches

from .events import SliceEmbedded
from .problem import QueryVolume, SupportSlice
from .propagator import EmbeddingT, MemoryT, PredictionT, Propagator


def embed_supports(
    propagator: Propagator[EmbeddingT, MemoryT, PredictionT], supports: Sequence[SupportSlice]
) -> Iterator[tuple[EmbeddingT, SliceEmbedded]]:
    """Embed the support slices (``Z^S``, Eq. 1), in order, one event each."""
    for batch in in_batches(supports, propagator.batch_size):
        embeddings = propagator.embed([s.image for s in batch], [s.limits for s in batch])
        for support, embedding in zip(batch, embeddings, strict=True):
            yield embedding, SliceEmbedded(support.index, is_query=False)


def embed_query(
    propagator: Propagator[EmbeddingT, MemoryT, PredictionT], query: QueryVolume
) -> Iterator[tuple[EmbeddingT, SliceEmbedded]]:
    """Embed the query slices (``z^q_i``, Eq. 1 and 11), in order, one event each."""
    for batch in in_batches(range(len(query.slices)), propagator.batch_size):
        images = [np.asarray(query.slices[i]) for i in batch]
        embeddings = propagator.embed(images, [query.limits] * len(images))
        for index, embedding in zip(batch, embeddings, strict=True):
            yield embedding, SliceEmbedded(index, is_query=True)
