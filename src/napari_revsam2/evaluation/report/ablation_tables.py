"""What each part of the method is worth: Tables 5 and 6, differences between modes, and the choice by reverse score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import pandas as pd

from napari_revsam2.settings.config import Mode, RevSAM2Config

from .mode_names import mode_name
from .paper_rows import paper_rows
from .section import READING, Section, at_usual, sections
from .statistics import estimate, paired_differences
from .table import NOTHING, Table, estimate_text, left_out, percent_text

_REVSAM2 = Mode.REVSAM2.value
_MODES = (Mode.FORWARD.value, Mode.FIFO.value, Mode.RANDOM.value, _REVSAM2)
"""In the order of Table 5."""
_OTHER_MODES = _MODES[:-1]
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
_NAN = float("nan")
_SLICE_GROUP = ["n_support", "class_name", "group", "volume"]

KeyT = TypeVar("KeyT")


def mode_tables(results: pd.DataFrame) -> list[Table]:
    """Tabulate DSC by mode and N (Table 5)."""
    title, found = "Table 5: modes", results[results["mode"].isin(_MODES)]
    tables = [_mode_table(f"{title}, {section.title}", section) for section in sections(found)]
    return tables or [left_out(title, "no row of its modes")]


def top_k_tables(results: pd.DataFrame) -> list[Table]:
    """Tabulate DSC of RevSAM2 by N and k (Table 6)."""
    title, found = "Table 6: conditional slices (k)", results[results["mode"] == _REVSAM2]
    tables = [_top_k_table(f"{title}, {section.title}", section) for section in sections(found)]
    return tables or [left_out(title, f"no row of mode {_REVSAM2}")]


def difference_tables(results: pd.DataFrame) -> list[Table]:
    """Tabulate paired differences in DSC, RevSAM2 minus each other mode of Table 5."""
    title, found = "RevSAM2 minus the other modes", results[results["mode"].isin(_MODES)]
    tables = [
        _difference_table(f"{title}, {section.title}", section)
        for section in sections(found)
        if {_REVSAM2} < set(section.results["mode"])
    ]
    return tables or [left_out(title, f"no rows of mode {_REVSAM2} beside another mode")]


def reverse_score_tables(results: pd.DataFrame, slices: pd.DataFrame) -> list[Table]:
    """Say what the reverse score is worth: the chosen slices against all, and its rank correlation with DSC."""
    title, found = "What π is worth", results[results["mode"] == _REVSAM2]
    tables = [_reverse_score_table(f"{title}, {section.title}", section, slices) for section in sections(found)]
    return tables or [left_out(title, f"no row of mode {_REVSAM2}")]


def _mode_table(title: str, section: Section) -> Table:
    counts = _descending(section.results["n_support"], [row.n_support for row in paper_rows(5)])
    by_mode = {mode: at_usual(section.of(mode), "top_k") for mode in _MODES}

    def ours(mode: str, classes: Sequence[str]) -> list[str]:
        return [section.cell(_where(by_mode[mode], "n_support", n), classes) for n in counts]

    def paper(mode: str) -> list[str]:
        return [percent_text(_paper_dsc(mode, n)) for n in counts]

    header = ("class", "mode", *(f"DSC, N = {n}" for n in counts))
    lines = _lines(section, {mode: mode_name(mode) for mode in _MODES}, ours, paper)
    return Table(title, header, lines, f"{section.size} {READING} {_USUAL_K}")


def _top_k_table(title: str, section: Section) -> Table:
    columns = _descending(section.results["top_k"], [row.top_k for row in paper_rows(6)])

    def ours(n: int, classes: Sequence[str]) -> list[str]:
        with_n = _where(section.results, "n_support", n)
        return [section.cell(_where(with_n, "top_k", k), classes) for k in columns]

    def paper(n: int) -> list[str]:
        known = {row.top_k: row.mean_dsc for row in paper_rows(6) if row.n_support == n}
        return [percent_text(known.get(k, _NAN)) for k in columns]

    header = ("class", "N", *(f"DSC, k = {k}" for k in columns))
    lines = _lines(section, _support_counts(section.results), ours, paper)
    return Table(title, header, lines, f"{section.size} {READING}")


def _difference_table(title: str, section: Section) -> Table:
    revsam2 = at_usual(section.of(_REVSAM2), "top_k")
    gains = {mode: paired_differences(revsam2, at_usual(section.of(mode), "top_k")) for mode in _OTHER_MODES}

    def ours(n: int, classes: Sequence[str]) -> list[str]:
        return [_gain_text(_where(gains[mode], "n_support", n), classes) for mode in _OTHER_MODES]

    def paper(n: int) -> list[str]:
        return [percent_text(_paper_dsc(_REVSAM2, n) - _paper_dsc(mode, n), signed=True) for mode in _OTHER_MODES]

    header = ("class", "N", *(f"minus {mode_name(mode)}" for mode in _OTHER_MODES))
    lines = _lines(section, _support_counts(revsam2), ours, paper)
    return Table(title, header, lines, f"{section.size} {_DIFFERENCES}")


def _reverse_score_table(title: str, section: Section, slices: pd.DataFrame) -> Table:
    results = at_usual(section.results, "top_k")
    results = results.assign(gain=results["chosen_dice"] - results["nonempty_dice"])
    k = results["top_k"].iloc[0]
    best, empty = _from_slices(section, slices, k)

    def ours(n: int, classes: Sequence[str]) -> list[str]:
        with_n = _where(results, "n_support", n)
        return [
            section.cell(with_n, classes, "rank_correlation", scale=1),
            section.cell(with_n, classes, "chosen_dice"),
            section.cell(with_n, classes, "nonempty_dice"),
            section.cell(with_n, classes, "gain", signed=True),
            section.cell(_where(best, "n_support", n), classes, "dice"),
            section.cell(_where(empty, "n_support", n), classes, "empty"),
        ]

    header = (
        *("class", "N", "rank correlation of π and DSC", f"DSC of the {k} chosen slices"),
        *("DSC of all non-empty slices", "chosen minus all", f"DSC of the best {k} slices", "empty slices, %"),
    )
    lines = _lines(section, _support_counts(results), ours)
    return Table(title, header, lines, f"{section.size} {_REVERSE_SCORES}")


def _lines(
    section: Section,
    names: Mapping[KeyT, str],
    ours: Callable[[KeyT, Sequence[str]], Sequence[str]],
    paper: Callable[[KeyT], Sequence[str]] | None = None,
) -> tuple[tuple[str, ...], ...]:
    """Lines for the mean over classes, where the paper's stand below ours, and for each class."""
    lines = []
    for block, (block_name, classes) in enumerate(section.blocks):
        for key, name in names.items():
            lines.append((block_name, name, *ours(key, classes)))
            if paper and block == 0:
                lines.append((_PAPER, name, *paper(key)))
    return tuple(lines)


def _from_slices(section: Section, slices: pd.DataFrame, k: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """For each N, class, group and volume: mean ``dice`` of the k best non-empty slices, and the share ``empty``."""
    classes = section.results[["label", "class_name"]].drop_duplicates()
    of_pair = _where(_where(slices, "dataset", section.dataset), "support_dataset", section.support_dataset)
    own = of_pair.merge(classes, on="label")
    best_first = _where(own, "nonempty", 1).sort_values("dice", ascending=False)
    best = best_first.groupby(_SLICE_GROUP).head(k).groupby(_SLICE_GROUP)["dice"].mean()
    empty = 1 - own.groupby(_SLICE_GROUP)["nonempty"].mean()
    return best.reset_index(), empty.reset_index(name="empty")


def _gain_text(gains: pd.DataFrame, classes: Sequence[str]) -> str:
    gain = estimate(gains[gains["class_name"].isin(classes)])
    text = estimate_text(gain, classes=len(classes), signed=True)
    return text if text == NOTHING else f"{text}, better on {gain.better} of {gain.volumes}"


def _paper_dsc(mode: str, n: int) -> float:
    return next((row.mean_dsc for row in paper_rows(5) if (row.mode, row.n_support) == (mode, n)), _NAN)


def _support_counts(results: pd.DataFrame) -> dict[int, str]:
    return {n: str(n) for n in _descending(results["n_support"])}


def _descending(*values: Iterable[int]) -> list[int]:
    return sorted({int(value) for several in values for value in several}, reverse=True)


def _where(results: pd.DataFrame, column: str, value: str | int) -> pd.DataFrame:
    return results[results[column] == value]
