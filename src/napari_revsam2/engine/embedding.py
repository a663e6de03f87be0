"""Each slice through the image encoder, once (Eq. 1 and 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .events import SliceEmbedded
from .problem import QueryVolume, SupportSlice
from .propagator import EmbeddingT, MemoryT, PredictionT, Propagator, in_batches


def embed_supports(
    propagator: Propagator[EmbeddingT, MemoryT, PredictionT], supports: Sequence[SupportSlice]
) -> Iterator[tuple[EmbeddingT, SliceEmbedded]]:
    """Embed the support slices (``Z^S``, Eq. 1), in order, one event each."""
    for batch in in_batches(supports, propagator.batch_size):
        # Eq. 1: Z^S = E^I(S), one embedding for each s_j (H, W), whose grey limits are its own volume's
        embeddings = propagator.embed([s.image for s in batch], [s.limits for s in batch])
        for support, embedding in zip(batch, embeddings, strict=True):
            yield embedding, SliceEmbedded(support.index, is_query=False)


def embed_query(
    propagator: Propagator[EmbeddingT, MemoryT, PredictionT], query: QueryVolume
) -> Iterator[tuple[EmbeddingT, SliceEmbedded]]:
    """Embed the query slices (``z^q_i``, Eq. 1 and 11), in order, one event each."""
    for batch in in_batches(range(len(query.slices)), propagator.batch_size):
        # only the slices of this batch are read: Q (M, H, W) may be larger than memory
        images = [np.asarray(query.slices[i]) for i in batch]
        # Eq. 1 for q_i; Eq. 11 asks for the same again, and takes these
        embeddings = propagator.embed(images, [query.limits] * len(images))
        for index, embedding in zip(batch, embeddings, strict=True):
            yield embedding, SliceEmbedded(index, is_query=True)
