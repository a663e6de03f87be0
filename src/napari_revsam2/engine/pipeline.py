"""RevSAM2 as one generator of events: Figure 2 of the paper, top to bottom."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.settings.method import MethodSettings, Mode
from napari_revsam2.vocabulary.errors import ProblemError

from .class_task import ClassTask
from .embedding import embed_query, embed_supports
from .events import (
    BatchFinished,
    Event,
    LabelResult,
    Notice,
    RunFinished,
    SliceEmbedded,
    SliceSegmented,
    SlicesSelected,
    Stage,
    StageStarted,
    WindowResolved,
)
from .forward_propagation import forward_propagation
from .merging import LabelMerger
from .problem import QueryVolume, SupportSet
from .propagator import EmbeddingT, Mask, MemoryT, PredictionT, Propagator
from .query_self_propagation import fifo_propagation, query_self_propagation
from .reverse_propagation import reverse_propagation
from .support_selection import choose_labels, select_supports
from .top_k_selection import select_at_random, select_top_k

_SETTLED = np.float32(1000)
"""Logit of a voxel that a person has settled: above any that a network predicts."""


def run_revsam2(
    propagator: Propagator[EmbeddingT, MemoryT, PredictionT],
    supports: SupportSet,
    query: QueryVolume,
    config: MethodSettings,
    labels: Sequence[int] | None = None,
) -> Generator[Event, None, None]:
    """Segment a query volume from a few painted slices.

    A generator: it computes as it is consumed, and closing it between any two events cancels the run.

    Parameters
    ----------
    propagator : Propagator
        The network.
    supports : SupportSet
        Painted slices on offer (S and Y).
    query : QueryVolume
        The volume to segment (Q), M slices.
    config : MethodSettings
        N, k, mode and so on.
    labels : sequence of int, optional
        Classes to segment, one after the other on the same embeddings; by default all that are painted.

    Yields
    ------
    Event
        Ends with `RunFinished`.

    Raises
    ------
    ProblemError
        When no class is asked for, or one isn't painted on any support or is the background.
    """
    labels = choose_labels(supports, labels)
    # S and Y of each class (N slices); classes may share slices, which are then embedded once
    chosen = {label: select_supports(supports, label, config.n_support) for label in labels}
    used = [support for support in supports.slices if any(support in slices for slices in chosen.values())]
    n_query, height, width = query.shape

    yield WindowResolved(query.limits, {support.volume: support.limits for support in used})
    yield StageStarted(Stage.EMBED, None, len(used) + n_query)
    # Eq. 1: every slice of S and Q through the image encoder, once for all classes and stages
    support_embeddings = yield from _collect(embed_supports(propagator, used))
    query_embeddings = yield from _collect(embed_query(propagator, query))
    embedding_of = dict(zip(used, support_embeddings, strict=True))

    merger = LabelMerger(labels, (n_query, height, width))
    results = []
    for label in labels:
        # Z^S (N) and z^q (M) of this class; all that follows works on embeddings
        embeddings = [embedding_of[support] for support in chosen[label]]
        task = ClassTask(propagator, label, chosen[label], embeddings, query_embeddings, (height, width))
        results.append((yield from _segment_label(task, config, merger)))
    yield RunFinished(merger.segmentation, tuple(results), config, propagator.computed_with)


def propagate_again(
    propagator: Propagator[EmbeddingT, MemoryT, PredictionT],
    query: QueryVolume,
    conditional: Mapping[int, Mapping[int, Mask]],
    config: MethodSettings,
) -> Generator[Event, None, None]:
    """Repeat only the query self propagation, from masks that a person has settled.

    With a propagator that keeps its embeddings (`StoredEmbeddings`) nothing is encoded again. A generator like
    `run_revsam2`.

    Parameters
    ----------
    propagator : Propagator
        The network.
    query : QueryVolume
        The volume to segment (Q), M slices.
    conditional : mapping of int to mapping of int to ndarray
        For each class its conditional slices, by query index, with their masks (H, W) (``P-hat``). They stay as they
        are in the result; an empty mask stays empty and is not remembered.
    config : MethodSettings
        Settings of the run that this one continues, for the result.

    Yields
    ------
    Event
        Ends with `RunFinished`.

    Raises
    ------
    ProblemError
        When there is no class, or one has no conditional slice that shows it or is below 1.
    """
    if not conditional:
        raise ProblemError("No conditional slice shows anything: add one, or correct a slice.")
    for label, masks in conditional.items():
        if not any(mask.any() for mask in masks.values()):
            raise ProblemError(f"Class {label} has no conditional slice that shows it: add one, or correct a slice.")
    n_query, height, width = query.shape
    merger = LabelMerger(tuple(conditional), (n_query, height, width))
    yield StageStarted(Stage.EMBED, None, n_query)
    query_embeddings = yield from _collect(embed_query(propagator, query))
    results = []
    for label, masks in conditional.items():
        task = ClassTask(propagator, label, (), (), query_embeddings, (height, width))
        # Eq. 12-13; an empty mask has nothing to remember
        memories = yield from _remember(task, {i: mask for i, mask in sorted(masks.items()) if mask.any()})
        # P-hat as logits (H, W), so that a settled mask wins over every other class
        kept = {i: np.where(mask, _SETTLED, -_SETTLED) for i, mask in masks.items()}
        yield SlicesSelected(label, tuple(sorted(masks)))
        yield StageStarted(Stage.SELF, label, n_query)
        yield from _merge(query_self_propagation(task, memories, kept), merger)
        results.append(LabelResult(label, (), np.full(n_query, np.nan), tuple(sorted(masks))))
    yield RunFinished(merger.segmentation, tuple(results), config, propagator.computed_with)


def _collect(steps: Iterator[tuple[EmbeddingT, SliceEmbedded]]) -> Generator[Event, None, list[EmbeddingT]]:
    """Pass the events on, and return the embeddings in their order."""
    embeddings = []
    for embedding, event in steps:
        embeddings.append(embedding)
        yield event
    return embeddings


def _segment_label(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], config: MethodSettings, merger: LabelMerger
) -> Generator[Event, None, LabelResult]:
    """All stages of one class; its final masks go to the merger."""
    origins = tuple((support.volume, support.index) for support in task.supports)
    scores = np.full(task.n_query, np.nan)
    if config.mode is Mode.FIFO:  # Table 5: one sweep from the supports, nothing is selected
        yield StageStarted(Stage.SELF, task.label, task.n_query)
        remembered = yield from task.remember_supports()
        yield from _merge(fifo_propagation(task, remembered), merger)
        return LabelResult(task.label, origins, scores, ())

    # 1. forward propagation: p_i for each q_i (Eq. 2-5)
    yield StageStarted(Stage.FORWARD, task.label, task.n_query)
    predictions, masks = [], {}
    remembered = yield from task.remember_supports()
    for prediction, event in forward_propagation(task, remembered):
        predictions.append(prediction)
        masks[event.index] = event.mask
        if config.mode is Mode.FORWARD:  # Table 5: p_i is the result
            merger.add(event.label, event.index, event.logits)
        yield event
    if config.mode is Mode.FORWARD:
        return LabelResult(task.label, origins, scores, ())

    # 2. and 3. reverse propagation and selection: Q-hat, k slices, already in memory with P-hat (Eq. 6-10)
    memories = yield from _choose_conditional(task, masks, config, scores)
    selected = tuple(sorted(memories))
    yield SlicesSelected(task.label, selected)
    if not selected:
        yield Notice(
            f"Class {task.label} was found on no query slice: try another window, more supports, or supports that "
            "look more like the query."
        )
        return LabelResult(task.label, origins, scores, ())

    # P-hat (k) as logits (H, W): the forward stage kept the network's own, smaller form of all M
    kept = task.propagator.logits([predictions[i] for i in selected], [task.query_shape] * len(selected))
    # 4. query self propagation: P-tilde (M, H, W) (Eq. 11-15)
    yield StageStarted(Stage.SELF, task.label, task.n_query)
    yield from _merge(query_self_propagation(task, memories, dict(zip(selected, kept, strict=True))), merger)
    return LabelResult(task.label, origins, scores, selected)


def _remember(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT], masks: Mapping[int, Mask]
) -> Generator[Event, None, dict[int, MemoryT]]:
    """Query slices with their masks (H, W) in memory, by index."""
    memories = {}
    for index, mask in masks.items():
        memories[index] = task.remember_query(index, mask)
        yield BatchFinished()
    return memories


def _merge(steps: Iterator[SliceSegmented], merger: LabelMerger) -> Iterator[Event]:
    """Pass the final masks on, and write them into the result."""
    for event in steps:
        merger.add(event.label, event.index, event.logits)
        yield event


def _choose_conditional(
    task: ClassTask[EmbeddingT, MemoryT, PredictionT],
    masks: Mapping[int, Mask],
    config: MethodSettings,
    scores: NDArray[np.float64],
) -> Generator[Event, None, dict[int, MemoryT]]:
    """Remember the conditional slices, by query index; fills ``scores`` (M,) where the mode scores."""
    if config.mode is Mode.RANDOM:
        # Table 5, "Rand Select": k of the slices that show the class, whatever their quality
        painted = [i for i, mask in masks.items() if mask.any()]
        chosen = select_at_random(painted, config.top_k, config.seed)
        return (yield from _remember(task, {i: masks[i] for i in chosen}))

    yield StageStarted(Stage.REVERSE, task.label, task.n_query)
    memories: dict[int, MemoryT] = {}
    for step in reverse_propagation(task, masks):
        if isinstance(step, BatchFinished):
            yield step
            continue
        memory, event = step
        scores[event.index] = event.reverse_score
        if memory is not None:
            memories[event.index] = memory
            # a slice that isn't among the top k so far won't be among the top k of all: its memory is let go
            best = select_top_k({i: scores[i] for i in memories}, config.top_k)
            memories = {i: memories[i] for i in best}
        yield event
    return memories
