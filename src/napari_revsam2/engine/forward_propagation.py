"""Forward propagation (section 3.1): from the supports to every query slice.

Video of the reference: ``[s_1 .. s_N, q_i]``, masks ``Y_j`` on the first N frames, read frame N.
"""

from __future__ import annotations

from collections.abc import Iterator

from napari_revsam2.vocabulary.batches import in_batches

from .events import SliceSegmented, Stage
from .propagator import EmbeddingT, MemoryBank, MemoryT, PredictionT, Remembered
from .task import Task


def forward_propagation(
    task: Task[EmbeddingT, MemoryT, PredictionT], supports: tuple[Remembered[MemoryT], ...]
) -> Iterator[tuple[PredictionT, SliceSegmented]]:
    """Segment each ``q_i`` from the supports alone: ``p_i = D(A(z_i^q | Z^S))`` (Eq. 4-5), in order of i.

    Parameters
    ----------
    task : Task
        The class at work.
    supports : tuple of Remembered
        The N supports with their labels in memory (``Z^S`` of Eq. 2-3).

    Yields
    ------
    prediction
        The network's own form of ``p_i``.
    event : SliceSegmented
        ``p_i`` as logits (H, W).
    """
    network, n_support = task.propagator, len(task.supports)
    bank = MemoryBank(position=n_support, video_length=n_support + 1, conditional=supports)
    for batch in in_batches(range(task.n_query), network.batch_size):
        predictions = network.segment([task.query_embeddings[i] for i in batch], [bank] * len(batch))
        logits = network.logits(predictions, [task.query_shape] * len(batch))
        for index, prediction, slice_logits in zip(batch, predictions, logits, strict=True):
            yield prediction, SliceSegmented(Stage.FORWARD, task.label, index, slice_logits)
