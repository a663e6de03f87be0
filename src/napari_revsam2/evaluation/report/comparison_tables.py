"""RevSAM2 beside prompts and other systems (Tables 1 and 2), supports of another dataset (3), one shot (4)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from napari_revsam2.evaluation.experiment.protocol import ONE_SHOT
from napari_revsam2.evaluation.systems.registry import PROMPTS
from napari_revsam2.settings.config import Mode

from .mode_names import mode_name, mode_order, system_of
from .paper_rows import PaperRow, paper_rows, same_dataset
from .section import READING, Section, at_usual, sections
from .table import NOTHING, Table, left_out, percent_text

_NO_COMPARISON = (Mode.FORWARD.value, Mode.FIFO.value, Mode.RANDOM.value, ONE_SHOT)


def comparison_tables(results: pd.DataFrame) -> list[Table]:
    """Make Table 1 or 2, or what they would be on another dataset, for each pair of query and support datasets."""
    compared = results[~results["mode"].isin(_NO_COMPARISON)]
    tables = [_comparison_table(section) for section in sections(compared)]
    return tables or [left_out("Tables 1 and 2", "no row of RevSAM2, a prompt or another system")]


def one_shot_tables(results: pd.DataFrame) -> list[Table]:
    """Make Table 4, or what it would be on another dataset."""
    tables = [_one_shot_table(section) for section in sections(results[results["mode"] == ONE_SHOT])]
    return tables or [left_out("Table 4", f"no row of mode {ONE_SHOT}")]


def domain_table(results: pd.DataFrame) -> Table:
    """Make Table 3, turned: a line for each pair of query and support datasets, a column for each system."""
    title = "Table 3: supports from another dataset"
    compared = results[~results["mode"].isin((*_NO_COMPARISON, *PROMPTS))]
    crossed = set(compared[compared["dataset"] != compared["support_dataset"]]["dataset"])
    if not crossed:
        return left_out(title, "no row whose supports are from another dataset than the query")
    parts = sorted(sections(compared[compared["dataset"].isin(crossed)]), key=lambda part: part.dataset)
    modes = sorted({mode for part in parts for mode in part.results["mode"]}, key=mode_order)
    ours = [_domain_line(part, parts, modes) for part in parts]
    paper = [row for row in paper_rows(3) if row.mode == Mode.REVSAM2.value]
    reference = [
        (f"paper: {p.dataset}", p.support_dataset, NOTHING, *(_paper_mean(3, p, mode) for mode in modes)) for p in paper
    ]
    header = ("query dataset", "support dataset", "classes", *(f"{mode_name(mode)}, mDSC" for mode in modes))
    note = f"{READING} Of one query dataset, only classes that all its support datasets have are counted."
    return Table(title, header, (*ours, *reference), note)


def _comparison_table(section: Section) -> Table:
    number = next((n for n in (1, 2) if same_dataset(section.dataset, paper_rows(n)[0].dataset)), 0)
    name = f"Table {number}" if number else "As Tables 1 and 2"
    same = section.dataset == section.support_dataset
    revsam2 = [row for row in paper_rows(1) if row.mode == Mode.REVSAM2.value]  # for reference beside other datasets
    paper = list(paper_rows(number)) if same and number else revsam2
    return _class_table(f"{name}: {section.title}", section, paper, with_nsd=True)


def _one_shot_table(section: Section) -> Table:
    same = [row for row in paper_rows(4) if same_dataset(row.dataset, section.dataset)]
    paper = same or [row for row in paper_rows(4) if row.mode]
    return _class_table(f"Table 4: one shot, {section.title}", section, paper, with_nsd=False)


def _domain_line(part: Section, parts: Sequence[Section], modes: Sequence[str]) -> tuple[str, ...]:
    beside = [set(other.classes) for other in parts if other.dataset == part.dataset]
    classes = sorted(set.intersection(*beside))
    cells = [part.cell(at_usual(part.of(mode), "n_support", "top_k"), classes) for mode in modes]
    return (part.dataset, part.support_dataset, str(len(classes)), *cells)


def _paper_mean(table: int, like: PaperRow, mode: str) -> str:
    """Look up the paper's mean for the same datasets in another mode."""
    pair = (like.dataset, like.support_dataset)
    found = [r for r in paper_rows(table) if r.mode == system_of(mode) and (r.dataset, r.support_dataset) == pair]
    return percent_text(found[0].mean_dsc) if found else NOTHING


def _class_table(title: str, section: Section, paper: Sequence[PaperRow], with_nsd: bool) -> Table:
    """Make a row for each mode, with the paper's below it, and a column for each class and for the means."""
    means = ("mDSC", "mNSD") if with_nsd else ("mDSC",)
    lines = []
    for mode in sorted(set(section.results["mode"]), key=mode_order):
        lines.append(_our_line(mode, section, with_nsd))
        lines += [_paper_line(row, section, with_nsd) for row in paper if row.mode == system_of(mode)]
    present = {system_of(mode) for mode in section.results["mode"]}
    lines += [_paper_line(row, section, with_nsd) for row in paper if row.mode not in present]
    note = (
        f"{section.size} {READING} Columns of classes are DSC; the paper's means are over the classes of its dataset."
    )
    return Table(title, ("method", *section.classes, *means), tuple(lines), note)


def _our_line(mode: str, section: Section, with_nsd: bool) -> tuple[str, ...]:
    results = at_usual(section.of(mode), "n_support", "top_k")
    cells = [section.cell(results, (name,)) for name in section.classes]
    means = [section.cell(results, section.classes, value) for value in ("dsc", "nsd")]
    return (mode_name(mode, results), *cells, *means[: 1 + with_nsd])


def _paper_line(row: PaperRow, section: Section, with_nsd: bool) -> tuple[str, ...]:
    cells = [percent_text(row.class_dsc(name)) for name in section.classes]
    means = [percent_text(row.mean_dsc), percent_text(row.mean_nsd)]
    return (f"paper, {row.dataset}: {row.method}", *cells, *means[: 1 + with_nsd])
