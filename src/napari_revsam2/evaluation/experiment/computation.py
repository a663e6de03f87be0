"""From a job to its rows: read, segment, compare with the truth."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.evaluation.datasets.dataset import Subject
from napari_revsam2.evaluation.datasets.labelled_stack import Spacing, labelled_slices
from napari_revsam2.evaluation.systems.registry import find_systems
from napari_revsam2.sam2_backend.loading import StoredSam2, load_with_store
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.vocabulary.errors import RevSAM2Error

from .job import Job, JobFailure, JobResult
from .job_inputs import JobInputs, read_inputs
from .measures import dice_coefficient, slice_quality, surface_dice
from .modes import FirstPass, Segmented, segment_in_modes, segment_one_shot
from .protocol import ONE_SHOT, Setting
from .result_rows import ResultRow, SliceRow
from .support_group import SupportChoice

_MODES = {mode.value for mode in Mode}
_NAN = float("nan")
_ONE_AT_A_TIME = threading.Lock()
"""A Dask worker may run jobs in several threads, which share one network, and its embeddings are of one volume."""


def run_job(job: Job) -> JobResult | JobFailure:
    """Compute a job; a volume that can't be read, a network or another system that fails are a `JobFailure`."""
    try:
        with _ONE_AT_A_TIME:
            return _compute(job)
    except RevSAM2Error as error:
        return JobFailure(job, str(error))


def own_seed(job: Job) -> int:
    """Seed of mode random: volumes and groups draw independently of each other, and the same when repeated."""
    return zlib.crc32(repr((job.config.seed, job.case)).encode())


def _compute(job: Job) -> JobResult:
    inputs = read_inputs(job, job.supports)
    rows: list[ResultRow] = []
    slices: dict[int, tuple[SliceRow, ...]] = {}
    mask = None
    for segmented in _segment(job, inputs):
        rows.append(_row(job, segmented, inputs.truth, inputs.spacing))
        if segmented.first is not None:
            n_support = segmented.setting.n_support
            slices[n_support] = tuple(_slice_rows(job, n_support, segmented.first, inputs.truth))
        if segmented.setting == job.kept:
            mask = segmented.mask
    return JobResult(job, tuple(rows), tuple(row for some in slices.values() for row in some), mask)


def _segment(job: Job, inputs: JobInputs) -> Iterator[Segmented]:
    in_modes = [setting for setting in job.settings if setting.mode in _MODES]
    if in_modes:
        config = replace(job.config, seed=own_seed(job))
        yield from segment_in_modes(_network_for(job.query, job.config), inputs, config, in_modes)
    for setting in job.settings:
        if setting.mode == ONE_SHOT:
            yield _one_shot(job, setting)
        elif setting.mode not in _MODES:
            yield _other_system(job, inputs, setting)


@lru_cache(maxsize=1)
def _network_for(query: Subject, config: RevSAM2Config) -> StoredSam2:  # noqa: ARG001 # by which it is cached
    """Let go of the embeddings of earlier volumes, which would fill the memory of a long evaluation."""
    network = _network(config)
    network.clear()
    return network


@lru_cache(maxsize=1)
def _network(config: RevSAM2Config) -> StoredSam2:
    """Load the network once a process."""
    return load_with_store(config)


def _one_shot(job: Job, setting: Setting) -> Segmented:
    """Table 4, from the first volume of the support group."""
    subject = job.supports[0].subject
    shown = labelled_slices(subject, job.axis)[job.support_label]
    inputs = read_inputs(job, [SupportChoice(subject, index) for index in shown])
    return segment_one_shot(_network_for(job.query, job.config), inputs, job.config, setting)


def _other_system(job: Job, inputs: JobInputs, setting: Setting) -> Segmented:
    """Prompts or another system, on the same slices."""
    began = time.perf_counter()
    (system,) = find_systems((setting.mode,), job.config)
    supports = inputs.supports[: setting.n_support]
    mask = system.segment(supports, job.label, inputs.query, inputs.spacing, inputs.truth)
    return Segmented(setting, mask, time.perf_counter() - began)


def _row(job: Job, segmented: Segmented, truth: NDArray[np.bool_], spacing: Spacing) -> ResultRow:
    setting, first, mask = segmented.setting, segmented.first, segmented.mask
    quality = slice_quality(first.masks, truth, first.scores, segmented.chosen) if first else None
    return ResultRow(
        dataset=job.dataset,
        support_dataset=job.support_dataset,
        label=job.label,
        class_name=job.class_name,
        group=job.group,
        volume=job.query.name,
        mode=setting.mode,
        n_support=setting.n_support,
        top_k=setting.top_k,
        dsc=dice_coefficient(mask, truth),
        nsd=surface_dice(mask, truth, spacing, job.tolerance),
        chosen_dice=quality.chosen if quality else _NAN,
        nonempty_dice=quality.nonempty if quality else _NAN,
        rank_correlation=quality.rank_correlation if quality else _NAN,
        seconds=segmented.seconds,
    )


def _slice_rows(job: Job, n_support: int, first: FirstPass, truth: NDArray[np.bool_]) -> Iterator[SliceRow]:
    """Figure 4, for one N; nothing where nothing was scored."""
    for index, score in first.scores.items():
        mask = first.masks[index]
        yield SliceRow(
            dataset=job.dataset,
            support_dataset=job.support_dataset,
            label=job.label,
            group=job.group,
            volume=job.query.name,
            n_support=n_support,
            slice=index,
            reverse_score=score,
            dice=dice_coefficient(mask[None], truth[index][None]),
            nonempty=int(mask.any()),
        )
