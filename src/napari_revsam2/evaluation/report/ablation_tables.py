"""What each part of the method is worth: Tables 5 and 6, differences between modes, and the choice by reverse score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from napari_revsam2.evaluation.experiment.results import ResultRow, SliceRow
from napari_revsam2.evaluation.experiment.statistics import Measurement, estimate, measure, paired_differences
from napari_revsam2.settings.config import Mode, RevSAM2Config

from .paper import paper_rows
from .result_table import (
    NOTHING,
    READING,
    Section,
    Table,
    at_usual_k,
    estimate_text,
    left_out,
    mode_name,
    of_classes,
    percent_text,
    sections,
)

_REVSAM2 = Mode.REVSAM2.value
_MODES = (Mode.FORWARD.value, Mode.FIFO.value, Mode.RANDOM.value, _REVSAM2)
"""In the order of Table 5."""
_PAPER = "paper: BTCV"
_USUAL_K = f"RevSAM2 and random selection with k = {RevSAM2Config().top_k}, or the largest there is."
_DIFFERENCES = (
    "Points of DSC (percent) between rows of the same volume, class, group and N; 95 % bootstrap interval over "
    "volumes, and on how many of them RevSAM2 is better."
)
_REVERSE_SCORES = (
    "DSC of the masks of forward propagation, slice by slice, in percent. The best slices are those that a choice by "
    "true DSC would take: no score can choose better. The paper gives no such figures."
)


def mode_tables(rows: Sequence[ResultRow]) -> Iterator[Table]:
    """Give Table 5: DSC by mode and N."""
    title, found = "Table 5: modes", [row for row in rows if row.mode in _MODES]
    for section in sections(found):
        columns = _descending([*(row.n_support for row in section.rows), *(row.n_support for row in paper_rows(5))])
        lines = []
        for name, classes in section.blocks:
            for mode in _MODES:
                ours = of_classes(at_usual_k(section.of(mode)), classes)
                lines.append(
                    (name, mode_name(mode), *(section.cell(_with_n(ours, n), classes=len(classes)) for n in columns))
                )
                if name == section.blocks[0][0]:
                    lines.append((_PAPER, mode_name(mode), *(_paper_dsc(mode, n) for n in columns)))
        header = ("class", "mode", *(f"DSC, N = {n}" for n in columns))
        yield Table(f"{title}, {section.title}", header, tuple(lines), f"{section.size} {READING} {_USUAL_K}")
    if not found:
        yield left_out(title, "no row of its modes")


def top_k_tables(rows: Sequence[ResultRow]) -> Iterator[Table]:
    """Give Table 6: DSC of RevSAM2 by N and k."""
    title, found = "Table 6: conditional slices (k)", [row for row in rows if row.mode == _REVSAM2]
    for section in sections(found):
        columns = _descending([*(row.top_k for row in section.rows), *(row.top_k for row in paper_rows(6))])
        lines = []
        for name, classes in section.blocks:
            for n in _descending([row.n_support for row in section.rows]):
                ours = of_classes(_with_n(section.rows, n), classes)
                cells = (section.cell([row for row in ours if row.top_k == k], classes=len(classes)) for k in columns)
                lines.append((name, str(n), *cells))
                if name == section.blocks[0][0]:
                    lines.append((_PAPER, str(n), *(_paper_top_k(n, k) for k in columns)))
        header = ("class", "N", *(f"DSC, k = {k}" for k in columns))
        yield Table(f"{title}, {section.title}", header, tuple(lines), f"{section.size} {READING}")
    if not found:
        yield left_out(title, f"no row of mode {_REVSAM2}")


def difference_tables(rows: Sequence[ResultRow]) -> Iterator[Table]:
    """Give paired differences in DSC, RevSAM2 minus each other mode of Table 5."""
    title, others, found = "RevSAM2 minus the other modes", _MODES[:-1], False
    for section in sections([row for row in rows if row.mode in _MODES]):
        ours = at_usual_k(section.of(_REVSAM2))
        if not ours or not any(section.of(mode) for mode in others):
            continue
        found, lines = True, []
        for name, classes in section.blocks:
            for n in _descending([row.n_support for row in ours]):
                mine = of_classes(_with_n(ours, n), classes)
                lines.append((name, str(n), *(_difference(section, mine, mode, len(classes)) for mode in others)))
                if name == section.blocks[0][0]:
                    lines.append((_PAPER, str(n), *(_paper_difference(mode, n) for mode in others)))
        header = ("class", "N", *(f"minus {mode_name(mode)}" for mode in others))
        yield Table(f"{title}, {section.title}", header, tuple(lines), f"{section.size} {_DIFFERENCES}")
    if not found:
        yield left_out(title, f"no rows of mode {_REVSAM2} beside another mode")


def reverse_score_tables(rows: Sequence[ResultRow], slices: Sequence[SliceRow]) -> Iterator[Table]:
    """Say what the reverse score is worth: the chosen slices against all, and its rank correlation with DSC."""
    title, found = "What π is worth", [row for row in rows if row.mode == _REVSAM2]
    for section in sections(found):
        ours = at_usual_k(section.rows)
        k = ours[0].top_k
        best, empty = _from_slices(section, slices, k)
        lines = []
        for name, classes in section.blocks:
            for n in _descending([row.n_support for row in ours]):
                of_rows = _reverse_score_cells(section, of_classes(_with_n(ours, n), classes), len(classes))
                of_slices = (
                    section.text((m for m in kind[n] if m.class_name in classes), len(classes))
                    for kind in (best, empty)
                )
                lines.append((name, str(n), *of_rows, *of_slices))
        header = (
            *("class", "N", "rank correlation of π and DSC", f"DSC of the {k} chosen slices"),
            *("DSC of all non-empty slices", "chosen minus all", f"DSC of the best {k} slices", "empty slices, %"),
        )
        yield Table(f"{title}, {section.title}", header, tuple(lines), f"{section.size} {_REVERSE_SCORES}")
    if not found:
        yield left_out(title, f"no row of mode {_REVSAM2}")


def _reverse_score_cells(section: Section, rows: Sequence[ResultRow], classes: int) -> tuple[str, ...]:
    gain = estimate(measure(rows, lambda row: row.chosen_dice - row.nonempty_dice))
    return (
        section.text(measure(rows, lambda row: row.rank_correlation), classes, scale=1),
        section.cell(rows, lambda row: row.chosen_dice, classes),
        section.cell(rows, lambda row: row.nonempty_dice, classes),
        estimate_text(gain, section.volumes, classes, signed=True),
    )


def _from_slices(
    section: Section, slices: Sequence[SliceRow], k: int
) -> tuple[dict[int, list[Measurement]], dict[int, list[Measurement]]]:
    """By N: mean DSC of the k best non-empty slices, and the share of empty slices."""
    names = {row.label: row.class_name for row in section.rows}
    volumes: dict[tuple[int, int, int, str], list[SliceRow]] = defaultdict(list)
    for item in slices:
        if (item.dataset, item.support_dataset) == (section.dataset, section.support_dataset) and item.label in names:
            volumes[item.n_support, item.label, item.group, item.volume].append(item)
    best: dict[int, list[Measurement]] = defaultdict(list)
    empty: dict[int, list[Measurement]] = defaultdict(list)
    for (n, label, _, volume), items in volumes.items():
        overlaps = sorted((item.dice for item in items if item.nonempty), reverse=True)
        if overlaps:
            best[n].append(Measurement(volume, names[label], float(np.mean(overlaps[:k]))))
        empty[n].append(Measurement(volume, names[label], 1 - len(overlaps) / len(items)))
    return best, empty


def _difference(section: Section, ours: Sequence[ResultRow], mode: str, classes: int) -> str:
    gain = estimate(paired_differences(ours, at_usual_k(section.of(mode)), lambda row: row.dsc))
    text = estimate_text(gain, classes=classes, signed=True)
    return text if text == NOTHING else f"{text}, better on {gain.better} of {gain.volumes}"


def _paper_difference(mode: str, n: int) -> str:
    return percent_text(_paper_mean(_REVSAM2, n) - _paper_mean(mode, n), signed=True)


def _paper_dsc(mode: str, n: int) -> str:
    return percent_text(_paper_mean(mode, n))


def _paper_mean(mode: str, n: int) -> float:
    return next((row.mean_dsc for row in paper_rows(5) if (row.mode, row.n_support) == (mode, n)), float("nan"))


def _paper_top_k(n: int, k: int) -> str:
    found = (row.mean_dsc for row in paper_rows(6) if (row.n_support, row.top_k) == (n, k))
    return percent_text(next(found, float("nan")))


def _with_n(rows: Sequence[ResultRow], n: int) -> list[ResultRow]:
    return [row for row in rows if row.n_support == n]


def _descending(values: Sequence[int]) -> list[int]:
    return sorted(set(values), reverse=True)
