"""One class of one query volume from one support set, in all its settings: what a process computes in one go."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.axis import Axis
from napari_revsam2.engine.config import Mode, RevSAM2Config
from napari_revsam2.sam2_backend.loading import load_with_store

from .case import Case, open_case
from .comparators import make_comparators
from .dataset import Subject
from .measures import Spacing, dice_coefficient, slice_quality, surface_dice
from .modes import AnyPropagator, FirstPass, Segmented, segment_in_modes, segment_one_shot
from .protocol import ONE_SHOT, Setting, SupportChoice, shown_slices
from .results import ResultRow, SliceRow

_MODES = {mode.value for mode in Mode}
_NAN = float("nan")


@dataclass(frozen=True)
class Work:
    """What to compute.

    Attributes
    ----------
    dataset, support_dataset, label, class_name, group
        As in `ResultRow`.
    support_label : int
        The class's id in the supports' label files.
    supports : tuple of SupportChoice
        The painted slices in the order drawn; N supports are the first N.
    query : Subject
        The volume to segment.
    axis : Axis
        The body axis to cut along.
    config : RevSAM2Config
        Window, checkpoint, device and so on; N, k and mode come from the settings.
    settings : tuple of Setting
        What to do.
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
    settings: tuple[Setting, ...]
    tolerance: float

    def row_key(self, setting: Setting) -> tuple[str | int, ...]:
        """`ResultRow.key` of a setting's row."""
        where = (self.dataset, self.support_dataset, self.label, self.group, self.query.name)
        return (*where, setting.mode, setting.n_support, setting.top_k)


@dataclass(frozen=True)
class Done:
    """What came of a work.

    Attributes
    ----------
    work : Work
        What was asked for.
    rows, slices : tuple
        Rows for the results.
    masks : mapping of Setting to ndarray
        (M, H, W) of bool, of mode ``revsam2`` alone.
    """

    work: Work
    rows: tuple[ResultRow, ...]
    slices: tuple[SliceRow, ...]
    masks: Mapping[Setting, NDArray[np.bool_]]


def compute(work: Work) -> Done:
    """Segment, compare with the truth, and give the rows.

    Raises
    ------
    RevSAM2Error
        When a volume can't be read, a network not be loaded, or another system not run.
    """
    case = open_case(work.label, work.supports, work.query, work.axis, work.config.window, work.support_label)
    rows: list[ResultRow] = []
    slices: dict[int, list[SliceRow]] = {}
    masks = {}
    for segmented in _segment(work, case):
        rows.append(_row(work, segmented, case.truth, case.spacing))
        if segmented.first is not None:
            n_support = segmented.setting.n_support
            slices[n_support] = list(_slice_rows(work, n_support, segmented.first, case.truth))
        if segmented.setting.mode == Mode.REVSAM2.value:
            masks[segmented.setting] = segmented.mask
    return Done(work, tuple(rows), tuple(row for some in slices.values() for row in some), masks)


def _segment(work: Work, case: Case) -> Iterator[Segmented]:
    in_modes = [setting for setting in work.settings if setting.mode in _MODES]
    if in_modes:
        yield from segment_in_modes(_network(work.config), case, work.config, in_modes)
    for setting in work.settings:
        if setting.mode == ONE_SHOT:
            yield _one_shot(work, setting)
        elif setting.mode not in _MODES:
            yield _compared(work, case, setting)


@lru_cache(maxsize=1)
def _network(config: RevSAM2Config) -> AnyPropagator:
    """Load the network once a process."""
    return load_with_store(config)


def _one_shot(work: Work, setting: Setting) -> Segmented:
    """Table 4, from the first volume of the support set."""
    subject = work.supports[0].subject
    shown = shown_slices(subject, work.axis)[work.support_label]
    choices = [SupportChoice(subject, index) for index in shown]
    case = open_case(work.label, choices, work.query, work.axis, work.config.window, work.support_label)
    return segment_one_shot(_network(work.config), case, work.config, setting, shown)


def _compared(work: Work, case: Case, setting: Setting) -> Segmented:
    """Another system, on the same slices."""
    began = time.perf_counter()
    (system,) = make_comparators((setting.mode,), work.config)
    mask = system.segment(case.supports[: setting.n_support], work.label, case.query, case.spacing, case.truth)
    return Segmented(setting, mask, time.perf_counter() - began)


def _row(work: Work, segmented: Segmented, truth: NDArray[np.bool_], spacing: Spacing) -> ResultRow:
    setting, first, mask = segmented.setting, segmented.first, segmented.mask
    if segmented.judged is not None:
        mask, truth = mask[segmented.judged], truth[segmented.judged]
    quality = slice_quality(first.masks, truth, first.scores, segmented.chosen) if first else None
    return ResultRow(
        dataset=work.dataset,
        support_dataset=work.support_dataset,
        label=work.label,
        class_name=work.class_name,
        group=work.group,
        volume=work.query.name,
        mode=setting.mode,
        n_support=setting.n_support,
        top_k=setting.top_k,
        dsc=dice_coefficient(mask, truth),
        nsd=surface_dice(mask, truth, spacing, work.tolerance),
        chosen_dice=quality.chosen if quality else _NAN,
        nonempty_dice=quality.nonempty if quality else _NAN,
        rank_correlation=quality.rank_correlation if quality else _NAN,
        seconds=segmented.seconds,
    )


def _slice_rows(work: Work, n_support: int, first: FirstPass, truth: NDArray[np.bool_]) -> Iterator[SliceRow]:
    """Figure 4, for one N; nothing where nothing was scored."""
    for index, score in first.scores.items():
        mask = first.masks[index]
        yield SliceRow(
            dataset=work.dataset,
            support_dataset=work.support_dataset,
            label=work.label,
            group=work.group,
            volume=work.query.name,
            n_support=n_support,
            slice=index,
            reverse_score=score,
            dice=dice_coefficient(mask[None], truth[index][None]),
            nonempty=int(mask.any()),
        )
