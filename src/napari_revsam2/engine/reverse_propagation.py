"""Reverse propagation (section 3.2): whether a query slice's mask finds the supports' labels again.

Video of the reference: ``[q_i, s_j]``, mask ``p_i > 0`` on frame 0, read frame 1, for each i and j. The idea: where
``p_i`` is wrong, what it finds on the supports is worse still, and there the truth is known.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

import numpy as np

from .class_task import ClassTask
from .dice import dice
from .events import BatchFinished, SliceScored
from .propagator import EmbeddingT, Mask, MemoryBank, MemoryT, PredictionT, Remembered, in_batches


def reverse_propagation(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], masks: Mapping[int, Mask]
) -> Iterator[tuple[MemoryT | None, SliceScored] | BatchFinished]:
    """Score each query slice: ``pi_i = mean_j Dice(Ytilde_ij, Y_j)`` (Eq. 10), in order of i.

    Parameters
    ----------
    task : ClassTask
        The class at work.
    masks : mapping of int to ndarray
        ``p_i > 0`` (H, W) by i, for all M query slices.

    Yields
    ------
    memory
        ``q_i`` with ``p_i`` in memory (Eq. 7), which query self propagation uses again; None when ``p_i`` is empty.
    event : SliceScored
        ``pi_i``; 0 for an empty ``p_i``, whose reverse pass is not run.
    BatchFinished
        In between, alone, after each batch: a batch of scores takes as many calls of the network as there are supports.
    """
    # Y_j (H_j, W_j), j = 1..N, at each support's own size
    truth = [support.mask(task.label) for support in task.supports]
    for batch in in_batches(range(task.n_query), task.propagator.batch_size):
        # an empty p_i finds nothing: pi_i = 0 without a pass (small organs fill few slices)
        painted = [i for i in batch if masks[i].any()]
        # Eq. 6: z_i^p = E^P(p_i); Eq. 7: ż_i^q = E^M(z_i^q, z_i^p)
        memories = dict(zip(painted, _remember(task, painted, masks), strict=True))
        yield BatchFinished()
        # each q_i of the batch with each support: up to batch_size * N independent videos of two frames
        pairs = [(i, j) for i in painted for j in range(len(truth))]
        found = yield from _segment_supports(task, pairs, memories)
        for i in batch:
            # Eq. 10: pi_i = mean over j of Dice(Ytilde_ij, Y_j)
            overlaps = [dice(found[i, j], mask) for j, mask in enumerate(truth) if i in memories]
            yield memories.get(i), SliceScored(task.label, i, float(np.mean(overlaps)) if overlaps else 0.0)


def _remember(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], indices: list[int], masks: Mapping[int, Mask]
) -> list[MemoryT]:
    """Query slices with their masks in memory (Eq. 6-7)."""
    if not indices:
        return []
    return task.propagator.remember_masks([task.query_embeddings[i] for i in indices], [masks[i] for i in indices])


def _segment_supports(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], pairs: list[tuple[int, int]], memories: Mapping[int, MemoryT]
) -> Generator[BatchFinished, None, dict[tuple[int, int], Mask]]:
    """``Ytilde_ij`` at the support's own size, by pair i, j (Eq. 8-9)."""
    network, found = task.propagator, {}
    for batch in in_batches(pairs, network.batch_size):
        # what Eq. 8 is conditioned on: q_i alone, as frame 0; s_j is frame 1
        banks = [MemoryBank(1, 2, (Remembered(0, memories[i]),)) for i, _ in batch]
        # Eq. 8: Z~_i^S = A(Z^S | ż_i^q); Eq. 9: Ytilde_i = D(Z~_i^S), for one s_j each
        predictions = network.segment([task.support_embeddings[j] for _, j in batch], banks)
        # at the support's own size (H_j, W_j), where Y_j is
        logits = network.logits(predictions, [task.supports[j].image.shape for _, j in batch])
        found.update({pair: pair_logits > 0 for pair, pair_logits in zip(batch, logits, strict=True)})
        yield BatchFinished()
    return found
