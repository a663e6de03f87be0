"""One class of one query volume from one support set, in all its settings: what a process computes in one go."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.evaluation.datasets.dataset import Subject
from napari_revsam2.evaluation.systems.comparators import make_comparators
from napari_revsam2.sam2_backend.loading import load_with_store
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis

from .case import Case, open_case
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
    mask : ndarray or None
        (M, H, W) of bool, of the setting `Work.kept`; None where that wasn't asked for.
    """

    work: Work
    rows: tuple[ResultRow, ...]
    slices: tuple[SliceRow, ...]
    mask: NDArray[np.bool_] | None


def compute(work: Work) -> Done:
    """Segment, compare with the truth, and give the rows.

    Raises
    ------
    RevSAM2Error
        When a volume can't be read, a network not be loaded, or another system not run.
    """
    case = open_work(work, work.supports)
    rows: list[ResultRow] = []
    slices: dict[int, list[SliceRow]] = {}
    mask = None
    for segmented in _segment(work, case):
        rows.append(_row(work, segmented, case.truth, case.spacing))
        if segmented.first is not None:
            n_support = segmented.setting.n_support
            slices[n_support] = list(_slice_rows(work, n_support, segmented.first, case.truth))
        if segmented.setting == work.kept:
            mask = segmented.mask
    return Done(work, tuple(rows), tuple(row for some in slices.values() for row in some), mask)


def _segment(work: Work, case: Case) -> Iterator[Segmented]:
    in_modes = [setting for setting in work.settings if setting.mode in _MODES]
    if in_modes:
        config = replace(work.config, seed=own_seed(work))
        yield from segment_in_modes(_network(work.config), case, config, in_modes)
    for setting in work.settings:
        if setting.mode == ONE_SHOT:
            yield _one_shot(work, setting)
        elif setting.mode not in _MODES:
            yield _compared(work, case, setting)


def open_work(work: Work, supports: Sequence[SupportChoice]) -> Case:
    """Read the query of a work and some supports; raises as `case.open_case`."""
    window = work.config.window
    return open_case(work.label, supports, work.query, work.axis, window, work.support_label, work.support_window)


def own_seed(work: Work) -> int:
    """Seed of mode random: volumes and groups draw independently of each other, and again the same."""
    return zlib.crc32(repr((work.config.seed, work.row_key(work.kept)[:5])).encode())


@lru_cache(maxsize=1)
def _network(config: RevSAM2Config) -> AnyPropagator:
    """Load the network once a process."""
    return load_with_store(config)


def _one_shot(work: Work, setting: Setting) -> Segmented:
    """Table 4, from the first volume of the support set."""
    subject = work.supports[0].subject
    shown = shown_slices(subject, work.axis)[work.support_label]
    choices = [SupportChoice(subject, index) for index in shown]
    return segment_one_shot(_network(work.config), open_work(work, choices), work.config, setting)


def _compared(work: Work, case: Case, setting: Setting) -> Segmented:
    """Another system, on the same slices."""
    began = time.perf_counter()
    (system,) = make_comparators((setting.mode,), work.config)
    mask = system.segment(case.supports[: setting.n_support], work.label, case.query, case.spacing, case.truth)
    return Segmented(setting, mask, time.perf_counter() - began)


def _row(work: Work, segmented: Segmented, truth: NDArray[np.bool_], spacing: Spacing) -> ResultRow:
    setting, first, mask = segmented.setting, segmented.first, segmented.mask
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
