"""What each part of the method is worth: Tables 5 and 6, differences between modes, and the choice by reverse score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
_SLICE_GROUP = ["n_support", "class_name", "group", "volume"]


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
    paper = {(row.mode, row.n_support): row.mean_dsc for row in paper_rows(5)}
    counts = _descending(section.results["n_support"], [n for _, n in paper])
    results = pd.concat(at_usual(section.of(mode), "top_k") for mode in _MODES)
    names = {mode: mode_name(mode) for mode in _MODES}
    lines = _pivot(section, results, "mode", names, "n_support", counts, paper)
    header = ("class", "mode", *(f"DSC, N = {n}" for n in counts))
    return Table(title, header, lines, f"{section.size} {READING} {_USUAL_K}")


def _top_k_table(title: str, section: Section) -> Table:
    paper = {(row.n_support, row.top_k): row.mean_dsc for row in paper_rows(6)}
    columns = _descending(section.results["top_k"], [k for _, k in paper])
    lines = _pivot(section, section.results, "n_support", _support_counts(section.results), "top_k", columns, paper)
    header = ("class", "N", *(f"DSC, k = {k}" for k in columns))
    return Table(title, header, lines, f"{section.size} {READING}")


def _difference_table(title: str, section: Section) -> Table:
    known = {(row.mode, row.n_support): row.mean_dsc for row in paper_rows(5)}
    paper = {(n, mode): known[_REVSAM2, n] - dsc for (mode, n), dsc in known.items()}
    revsam2 = at_usual(section.of(_REVSAM2), "top_k")
    gains = pd.concat(
        paired_differences(revsam2, at_usual(section.of(mode), "top_k")).assign(other=mode) for mode in _OTHER_MODES
    )
    lines = _pivot(section, gains, "n_support", _support_counts(revsam2), "other", _OTHER_MODES, paper, gains=True)
    header = ("class", "N", *(f"minus {mode_name(mode)}" for mode in _OTHER_MODES))
    return Table(title, header, lines, f"{section.size} {_DIFFERENCES}")


def _reverse_score_table(title: str, section: Section, slices: pd.DataFrame) -> Table:
    results = at_usual(section.results, "top_k")
    results = results.assign(gain=results["chosen_dice"] - results["nonempty_dice"])
    k = results["top_k"].iloc[0]
    of_slices = _from_slices(section, slices, k)
    lines = [
        (
            block,
            str(n),
            section.cell(results[results["n_support"] == n], classes, "rank_correlation", scale=1),
            section.cell(results[results["n_support"] == n], classes, "chosen_dice"),
            section.cell(results[results["n_support"] == n], classes, "nonempty_dice"),
            section.cell(results[results["n_support"] == n], classes, "gain", signed=True),
            section.cell(of_slices[of_slices["n_support"] == n], classes, "best"),
            section.cell(of_slices[of_slices["n_support"] == n], classes, "empty"),
        )
        for block, classes in section.blocks
        for n in _support_counts(results)
    ]
    header = (
        *("class", "N", "rank correlation of π and DSC", f"DSC of the {k} chosen slices"),
        *("DSC of all non-empty slices", "chosen minus all", f"DSC of the best {k} slices", "empty slices, %"),
    )
    return Table(title, header, tuple(lines), f"{section.size} {_REVERSE_SCORES}")


def _pivot(
    section: Section,
    results: pd.DataFrame,
    line: str,
    names: Mapping[Any, str],
    column: str,
    columns: Sequence[Any],
    paper: Mapping[tuple[Any, Any], float],
    gains: bool = False,
) -> tuple[tuple[str, ...], ...]:
    """Spread ``dsc`` over lines and columns, by the columns of these names, for the mean over classes and each class.

    The paper's figures, by line and column in percent, stand below the means.
    """
    lines = []
    for block, (block_name, classes) in enumerate(section.blocks):
        for key, name in names.items():
            of_line = results[results[line] == key]
            cells = [of_line[of_line[column] == value] for value in columns]
            texts = (_gain_text(cell, classes) if gains else section.cell(cell, classes) for cell in cells)
            lines.append((block_name, name, *texts))
            if block == 0:
                known = (percent_text(paper.get((key, value), float("nan")), signed=gains) for value in columns)
                lines.append((_PAPER, name, *known))
    return tuple(lines)


def _from_slices(section: Section, slices: pd.DataFrame, k: int) -> pd.DataFrame:
    """For each N, class, group and volume: mean DSC of the k ``best`` non-empty slices, and the share ``empty``."""
    classes = section.results[["label", "class_name"]].drop_duplicates()
    of_pair = (slices["dataset"] == section.dataset) & (slices["support_dataset"] == section.support_dataset)
    own = slices[of_pair].merge(classes, on="label")
    best_first = own[own["nonempty"] == 1].sort_values("dice", ascending=False)
    best = best_first.groupby(_SLICE_GROUP).head(k).groupby(_SLICE_GROUP)["dice"].mean()
    empty = 1 - own.groupby(_SLICE_GROUP)["nonempty"].mean()
    return pd.DataFrame({"best": best, "empty": empty}).reset_index()


def _gain_text(gains: pd.DataFrame, classes: Sequence[str]) -> str:
    gain = estimate(gains[gains["class_name"].isin(classes)])
    text = estimate_text(gain, classes=len(classes), signed=True)
    return text if text == NOTHING else f"{text}, better on {gain.better} of {gain.volumes}"


def _support_counts(results: pd.DataFrame) -> dict[int, str]:
    return {n: str(n) for n in _descending(results["n_support"])}


def _descending(*values: Iterable[int]) -> list[int]:
    return sorted({int(value) for several in values for value in several}, reverse=True)
