"""What one process computes in one go: a class of a query volume from one support group, in all its settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.evaluation.datasets.dataset import Subject
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis

from .protocol import Setting
from .result_rows import Case, ResultRow, SliceRow
from .support_group import SupportChoice


@dataclass(frozen=True)
class Job:
    """What to compute.

    Attributes
    ----------
    dataset, support_dataset, label, class_name, group
        As in `ResultRow`.
    support_label : int
        The class's id in the supports' label files.
    supports : tuple of SupportChoice
        The annotated slices in the order drawn; N supports are the first N.
    query : Subject
        The volume to segment.
    axis : Axis
        The body axis to cut along.
    config : RevSAM2Config
        The query's window, checkpoint, device and so on; N, k and mode come from the settings.
    support_window : str
        Grey values the model sees of the supports.
    settings : tuple of Setting
        What to do.
    kept : Setting
        The one whose mask is handed back; of mode ``revsam2``.
    tolerance : float
        Millimetres, of the NSD.
    """

    dataset: str
    support_dataset: str
    label: int
    support_label: int
    class_name: str
    group: int
    supports: tuple[SupportChoice, ...]
    query: Subject
    axis: Axis
    config: RevSAM2Config
    support_window: str
    settings: tuple[Setting, ...]
    kept: Setting
    tolerance: float

    @property
    def case(self) -> Case:
        """`ResultRow.case` of its rows."""
        return self.dataset, self.support_dataset, self.label, self.group, self.query.name

    def row_key(self, setting: Setting) -> tuple[str | int, ...]:
        """`ResultRow.key` of a setting's row."""
        return (*self.case, setting.mode, setting.n_support, setting.top_k)


@dataclass(frozen=True)
class JobResult:
    """What a job computed.

    Attributes
    ----------
    job : Job
        What was asked for.
    rows, slices : tuple
        Rows for the results.
    mask : ndarray or None
        (M, H, W) of bool, of the setting `Job.kept`; None where that wasn't asked for.
    """

    job: Job
    rows: tuple[ResultRow, ...]
    slices: tuple[SliceRow, ...]
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True)
class JobFailure:
    """A job that failed because of its files or settings, with the reason in a sentence."""

    job: Job
    reason: str
