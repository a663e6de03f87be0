"""Supports, query and truth of a job, read from their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.evaluation.datasets.labelled_stack import Spacing, read_labelled_stack

from .job import Job
from .support_group import SupportChoice


@dataclass(frozen=True)
class JobInputs:
    """One class of one query volume, with its supports.

    Attributes
    ----------
    label : int
        The class.
    supports : tuple of SupportSlice
        Annotated slices in the order drawn.
    query : QueryVolume
        M slices (H, W).
    truth : ndarray
        (M, H, W) of bool.
    spacing : (float, float, float)
        Millimetres between slices, rows and columns of the query.
    """

    label: int
    supports: tuple[SupportSlice, ...]
    query: QueryVolume
    truth: NDArray[np.bool_]
    spacing: Spacing


def read_inputs(job: Job, choices: Sequence[SupportChoice]) -> JobInputs:
    """Read the query of a job, and the slices chosen as supports.

    Raises
    ------
    VolumeFileError
        When a file can't be read, or labels lie on another grid than their image.
    ProblemError
        When the window covers a single grey value of a volume.
    """
    query = read_labelled_stack(job.query, job.axis, job.config.window)
    return JobInputs(
        job.label,
        tuple(_supports(job, choices)),
        QueryVolume(query.images, query.limits),
        np.asarray(query.labels == job.label),
        query.spacing,
    )


def _supports(job: Job, choices: Sequence[SupportChoice]) -> Iterator[SupportSlice]:
    """Annotated slices that show the class alone, under the query's id: the supports' files may have another one."""
    subjects = list(dict.fromkeys(choice.subject for choice in choices))
    for choice in choices:
        volume = read_labelled_stack(choice.subject, job.axis, job.support_window)
        number = subjects.index(choice.subject)
        labels = np.where(volume.labels[choice.index] == job.support_label, job.label, 0)
        yield SupportSlice(volume.images[choice.index], labels, volume.limits, number, choice.index)
