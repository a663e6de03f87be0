"""Forward propagation (section 3.1): from the supports to every query slice.

Video of the reference: ``[s_1 .. s_N, q_i]``, masks ``Y_j`` on the first N frames, read frame N. There are M such
videos; as ``q_i`` remembers nothing, they share one memory bank and are computed in batches.
"""

from __future__ import annotations

from collections.abc import Iterator

from .class_task import ClassTask
from .events import SliceSegmented, Stage
from .propagator import EmbeddingT, MemoryBank, MemoryT, PredictionT, Remembered, in_batches


def forward_propagation(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], supports: tuple[Remembered[MemoryT], ...]
) -> Iterator[tuple[PredictionT, SliceSegmented]]:
    """Segment each ``q_i`` from the supports alone: ``p_i = D(A(z_i^q | Ż^S))`` (Eq. 4-5), in order of i.

    Parameters
    ----------
    task : ClassTask
        The class at work.
    supports : tuple of Remembered
        The N supports with their labels in memory (``Ż^S`` of Eq. 2-3).

    Yields
    ------
    prediction
        The network's own form of ``p_i``.
    event : SliceSegmented
        ``p_i`` as logits (H, W).
    """
    network, n_support = task.propagator, len(task.supports)
    # what Eq. 4 is conditioned on: the N supports are frames 0 to N-1, q_i is frame N of a video of N+1
    bank = MemoryBank(position=n_support, video_length=n_support + 1, conditional=supports)
    for batch in in_batches(range(task.n_query), network.batch_size):
        # Eq. 4: z~_i^q = A(z_i^q | Ż^S); Eq. 5: p_i = D(z~_i^q), still in the network's own resolution
        predictions = network.segment([task.query_embeddings[i] for i in batch], [bank] * len(batch))
        # p_i at the query's own size (H, W)
        logits = network.logits(predictions, [task.query_shape] * len(batch))
        for index, prediction, slice_logits in zip(batch, predictions, logits, strict=True):
            yield prediction, SliceSegmented(Stage.FORWARD, task.label, index, slice_logits)
