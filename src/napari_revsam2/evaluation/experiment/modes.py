"""The ways in which RevSAM2 segments a job: the rows of Table 5, for all k of Table 6, and the one shot of Table 4.

Forward and reverse propagation don't depend on k, nor does the random choice: they run once for each N, and each
setting adds only its query self propagation.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.events import RunFinished, SliceScored, SliceSegmented, Stage, result_of
from napari_revsam2.engine.pipeline import propagate_again, run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet
from napari_revsam2.engine.propagator import Mask, Propagator
from napari_revsam2.engine.top_k_selection import select_at_random, select_top_k
from napari_revsam2.settings.config import Mode, RevSAM2Config

from .job_inputs import JobInputs
from .protocol import Setting
from .support_group import chunks

ONE_SHOT_PARTS = 3
"""Parts of the organ's extent, each segmented from one support slice, in the protocol that Table 4 follows."""

AnyPropagator = Propagator[Any, Any, Any]


@dataclass(frozen=True)
class FirstPass:
    """Forward and reverse propagation of one N, and the final mask that comes of it for one k.

    Attributes
    ----------
    masks : mapping of int to ndarray
        ``p_i > 0`` (H, W) by query slice.
    scores : mapping of int to float
        ``pi_i`` by query slice; empty where nothing was scored.
    final : ndarray
        (M, H, W) of bool.
    forward_seconds, seconds : float
        Wall time up to the last ``p_i``, and of all of it.
    """

    masks: Mapping[int, Mask]
    scores: Mapping[int, float]
    final: NDArray[np.bool_]
    forward_seconds: float
    seconds: float

    @property
    def painted(self) -> list[int]:
        """Slices whose ``p_i`` isn't empty."""
        return [i for i, mask in self.masks.items() if mask.any()]


@dataclass(frozen=True)
class Segmented:
    """What a setting led to.

    Attributes
    ----------
    setting : Setting
        Which one.
    mask : ndarray
        (M, H, W) of bool.
    seconds : float
        As in `result_rows.ResultRow`.
    first : FirstPass or None
        Where its masks come from.
    chosen : tuple of int
        The conditional slices.
    """

    setting: Setting
    mask: NDArray[np.bool_]
    seconds: float
    first: FirstPass | None = None
    chosen: tuple[int, ...] = ()


def segment_in_modes(
    network: AnyPropagator, inputs: JobInputs, config: RevSAM2Config, settings: Sequence[Setting]
) -> Iterator[Segmented]:
    """Segment in all settings of `settings.config.Mode`, N by N."""
    for n_support in dict.fromkeys(setting.n_support for setting in settings):
        some = [setting for setting in settings if setting.n_support == n_support]
        some_supports = replace(inputs, supports=inputs.supports[:n_support])
        yield from _segment(network, some_supports, replace(config, n_support=n_support), some)


def segment_one_shot(network: AnyPropagator, inputs: JobInputs, config: RevSAM2Config, setting: Setting) -> Segmented:
    """Segment from one support slice (Table 4), as the methods compared there do.

    The organ's extent is cut into thirds, in support volume and query alike; the middle slice of each of the support's
    thirds speaks for all slices of the query's, stacked. The protocol knows where the organ begins and ends: beyond,
    mask and truth are empty.

    Parameters
    ----------
    network, inputs, config, setting
        The network, the inputs whose supports are all slices of one volume that show the class, in their order, and how
        to segment it.
    """
    began = time.perf_counter()
    extent = np.flatnonzero(inputs.truth.any(axis=(1, 2))).tolist()
    mask = np.zeros(inputs.truth.shape, bool)
    count = min(ONE_SHOT_PARTS, len(inputs.supports), len(extent))
    for given, asked in zip(chunks(range(len(inputs.supports)), count), chunks(extent, count), strict=True):
        stacked = QueryVolume([inputs.query.slices[i] for i in asked], inputs.query.limits)
        part = replace(inputs, supports=(inputs.supports[given[len(given) // 2]],), query=stacked)
        mask[asked] = _run(network, part, replace(config, n_support=1, top_k=setting.top_k))
    return Segmented(setting, mask, time.perf_counter() - began)


def _segment(
    network: AnyPropagator, inputs: JobInputs, config: RevSAM2Config, settings: Sequence[Setting]
) -> Iterator[Segmented]:
    """All modes for one N; those that build on ``p_i`` share forward and reverse propagation."""
    scored = [setting for setting in settings if setting.mode == Mode.REVSAM2.value]
    first = None
    if any(setting.mode != Mode.FIFO.value for setting in settings):
        mode, top_k = (Mode.REVSAM2, scored[0].top_k) if scored else (Mode.FORWARD, 1)
        first = _first_pass(network, inputs, replace(config, mode=mode, top_k=top_k))
    for setting in settings:
        if setting.mode == Mode.FIFO.value:
            began = time.perf_counter()
            mask = _run(network, inputs, replace(config, mode=Mode.FIFO))
            yield Segmented(setting, mask, time.perf_counter() - began)
            continue
        assert first is not None
        if setting.mode == Mode.FORWARD.value:
            yield Segmented(setting, np.stack([*first.masks.values()]), first.forward_seconds, first)
        else:
            yield _propagated(network, inputs, config, first, setting, known=bool(scored) and setting == scored[0])


def _first_pass(network: AnyPropagator, inputs: JobInputs, config: RevSAM2Config) -> FirstPass:
    began = time.perf_counter()
    forward_seconds = 0.0
    masks: dict[int, Mask] = {}
    scores: dict[int, float] = {}
    for event in run_revsam2(network, SupportSet(inputs.supports), inputs.query, config, (inputs.label,)):
        if isinstance(event, SliceSegmented) and event.stage is Stage.FORWARD:
            masks[event.index] = event.mask
            forward_seconds = time.perf_counter() - began
        elif isinstance(event, SliceScored):
            scores[event.index] = event.reverse_score
    assert isinstance(event, RunFinished)
    final = np.asarray(event.segmentation == inputs.label)
    return FirstPass(masks, scores, final, forward_seconds, time.perf_counter() - began)


def _propagated(
    network: AnyPropagator, inputs: JobInputs, config: RevSAM2Config, first: FirstPass, setting: Setting, known: bool
) -> Segmented:
    """Query self propagation from the slices that the setting chooses; ``known`` where the first pass has done it."""
    if setting.mode == Mode.RANDOM.value:
        chosen = select_at_random(first.painted, setting.top_k, config.seed)
    else:
        chosen = select_top_k({i: first.scores[i] for i in first.painted}, setting.top_k)
    if known:
        return Segmented(setting, first.final, first.seconds, first, chosen)
    began = time.perf_counter()
    mask = np.zeros(inputs.truth.shape, bool)
    if chosen:
        masks = {inputs.label: {i: first.masks[i] for i in chosen}}
        mask = np.asarray(result_of(propagate_again(network, inputs.query, masks, config)).segmentation == inputs.label)
    return Segmented(setting, mask, time.perf_counter() - began, first, chosen)


def _run(network: AnyPropagator, inputs: JobInputs, config: RevSAM2Config) -> NDArray[np.bool_]:
    events = run_revsam2(network, SupportSet(inputs.supports), inputs.query, config, (inputs.label,))
    return np.asarray(result_of(events).segmentation == inputs.label)
