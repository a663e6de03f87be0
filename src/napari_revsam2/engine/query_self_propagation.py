"""Query self propagation (section 3.3): from the conditional slices to the whole query.

Video of the reference: ``[q_1 .. q_M]``, mask ``p_i > 0`` on the conditional frames, one sweep from frame 0 upward.
Mode ``fifo`` of Table 5 is the same sweep over ``[s_1 .. s_N, q_1 .. q_M]`` with the supports conditional.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .class_task import ClassTask
from .events import SliceSegmented, Stage
from .propagator import EmbeddingT, Logits, MemoryBank, MemoryT, PredictionT, Remembered


def query_self_propagation(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], memories: Mapping[int, MemoryT], kept: Mapping[int, Logits]
) -> Iterator[SliceSegmented]:
    """Segment the non-conditional slices from the conditional and the most recent ones (Eq. 14-15).

    Parameters
    ----------
    task : ClassTask
        The class at work.
    memories : mapping of int to memory
        The conditional slices with their masks in memory (Eq. 11-13), by query index.
    kept : mapping of int to ndarray
        Mask logits (H, W) that the conditional slices keep (``P-hat``).

    Yields
    ------
    SliceSegmented
        One a slice, in order; together they are ``P-tilde``.
    """
    # Eq. 11-13 are done: reverse propagation has remembered Q-hat with P-hat (k slices); here each one is frame i
    conditional = tuple(Remembered(i, memories[i]) for i in sorted(memories))
    return _sweep(task, conditional, kept, first=0)


def fifo_propagation(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], supports: tuple[Remembered[MemoryT], ...]
) -> Iterator[SliceSegmented]:
    """Segment every query slice from the supports and the most recent slices, good or bad (Table 5, "Query Info").

    Parameters
    ----------
    task : ClassTask
        The class at work.
    supports : tuple of Remembered
        The N supports with their labels in memory, as frames 0 to N-1.

    Yields
    ------
    SliceSegmented
        One a slice, in order.
    """
    # no slice keeps a mask; the supports are frames 0 to N-1, so that q_0 is frame N
    return _sweep(task, supports, {}, first=len(supports))


def _sweep(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT],
    conditional: tuple[Remembered[MemoryT], ...],
    kept: Mapping[int, Logits],
    first: int,
) -> Iterator[SliceSegmented]:
    """One pass over the query, whose slice 0 is frame ``first`` of the video."""
    network = task.propagator
    recent: tuple[Remembered[MemoryT], ...] = ()
    for index in range(task.n_query):
        if index in kept:  # a conditional slice keeps p_i, and its place in the queue stays empty
            yield SliceSegmented(Stage.SELF, task.label, index, kept[index])
            continue
        position = first + index
        # the queue of Eq. 14 is by position: predicted slices within the network's reach (tau), however few those are
        recent = tuple(r for r in recent if position - r.position <= network.reach)
        # all k conditional slices are in every bank, those further on in the volume too
        bank = MemoryBank(position, first + task.n_query, conditional, recent)
        embedding = task.query_embeddings[index]
        # Eq. 14: z~_i = A(z_i | conditional slices, queue); Eq. 15: p~_i = D(z~_i)
        prediction = network.segment([embedding], [bank])[0]
        # q_i with its own p~_i joins the queue, good or bad
        recent = (*recent, Remembered(position, network.remember_prediction(embedding, prediction)))
        # p~_i at the query's own size (H, W)
        logits = network.logits([prediction], [task.query_shape])[0]
        yield SliceSegmented(Stage.SELF, task.label, index, logits)
