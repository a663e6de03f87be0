"""RevSAM2 beside prompts and other systems (Tables 1 and 2), supports of another dataset (3), one shot (4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from napari_revsam2.evaluation.experiment.protocol import ONE_SHOT
from napari_revsam2.evaluation.experiment.results import ResultRow
from napari_revsam2.evaluation.systems.comparators import PROMPTS
from napari_revsam2.settings.config import Mode

from .paper import PaperRow, paper_rows, same_dataset
from .result_table import (
    NOTHING,
    READING,
    Section,
    Table,
    at_usual_setting,
    left_out,
    mode_name,
    mode_order,
    of_classes,
    percent_text,
    sections,
    system,
)

_NO_COMPARISON = {Mode.FORWARD.value, Mode.FIFO.value, Mode.RANDOM.value, ONE_SHOT}


def comparison_tables(rows: Sequence[ResultRow]) -> Iterator[Table]:
    """Give Table 1 or 2, or what they would be on another dataset, for each pair of query and support datasets."""
    found = False
    for section in sections([row for row in rows if row.mode not in _NO_COMPARISON]):
        found = True
        number = next((n for n in (1, 2) if same_dataset(section.dataset, paper_rows(n)[0].dataset)), 0)
        name = f"Table {number}" if number else "As Tables 1 and 2"
        same = section.dataset == section.support_dataset
        paper = _paper_beside(number if same else 0, reference_table=1)
        yield _class_table(f"{name}: {section.title}", section, paper, with_nsd=True)
    if not found:
        yield left_out("Tables 1 and 2", "no row of RevSAM2, a prompt or another system")


def one_shot_tables(rows: Sequence[ResultRow]) -> Iterator[Table]:
    """Give Table 4, or what it would be on another dataset."""
    found = False
    for section in sections([row for row in rows if row.mode == ONE_SHOT]):
        found = True
        same = [row for row in paper_rows(4) if same_dataset(row.dataset, section.dataset)]
        paper = same or [row for row in paper_rows(4) if row.mode]
        yield _class_table(f"Table 4: one shot, {section.title}", section, paper, with_nsd=False)
    if not found:
        yield left_out("Table 4", f"no row of mode {ONE_SHOT}")


def domain_table(rows: Sequence[ResultRow]) -> Table:
    """Give Table 3, turned: a row for each pair of query and support datasets, a column for each system."""
    title = "Table 3: supports from another dataset"
    compared = [row for row in rows if row.mode not in {*_NO_COMPARISON, *PROMPTS}]
    crossed = {row.dataset for row in compared if row.dataset != row.support_dataset}
    if not crossed:
        return left_out(title, "no row whose supports are from another dataset than the query")
    parts = [part for part in sections(compared) if part.dataset in crossed]
    modes = sorted({row.mode for part in parts for row in part.rows}, key=mode_order)
    ours = [_domain_row(part, parts, modes) for part in sorted(parts, key=lambda part: part.dataset)]
    paper = [row for row in paper_rows(3) if row.mode == Mode.REVSAM2.value]
    reference = [
        (f"paper: {p.dataset}", p.support_dataset, NOTHING, *(_paper_mean(3, p, mode) for mode in modes)) for p in paper
    ]
    header = ("query dataset", "support dataset", "classes", *(f"{mode_name(mode)}, mDSC" for mode in modes))
    note = f"{READING} Of one query dataset, only classes that all its support datasets have are counted."
    return Table(title, header, (*ours, *reference), note)


def _domain_row(part: Section, parts: Sequence[Section], modes: Sequence[str]) -> tuple[str, ...]:
    beside = [set(other.classes) for other in parts if other.dataset == part.dataset]
    classes = sorted(set.intersection(*beside))
    cells = [part.cell(of_classes(at_usual_setting(part.of(mode)), classes), classes=len(classes)) for mode in modes]
    return (part.dataset, part.support_dataset, str(len(classes)), *cells)


def _paper_mean(table: int, like: PaperRow, mode: str) -> str:
    """Look up the paper's mean for the same datasets in another mode."""
    pair = (like.dataset, like.support_dataset)
    found = [r for r in paper_rows(table) if r.mode == system(mode) and (r.dataset, r.support_dataset) == pair]
    return percent_text(found[0].mean_dsc) if found else NOTHING


def _paper_beside(table: int, reference_table: int) -> list[PaperRow]:
    """All of the paper's table for its dataset, else RevSAM2's row of another one for reference."""
    return list(paper_rows(table)) or [row for row in paper_rows(reference_table) if row.mode == Mode.REVSAM2.value]


def _class_table(title: str, section: Section, paper: Sequence[PaperRow], with_nsd: bool) -> Table:
    """Make a row for each mode, with the paper's below it, and a column for each class and for the means."""
    means = ("mDSC", "mNSD") if with_nsd else ("mDSC",)
    lines = []
    for mode in sorted({row.mode for row in section.rows}, key=mode_order):
        lines.append(_our_line(mode, section, with_nsd))
        lines += [_paper_line(row, section, with_nsd) for row in paper if row.mode == system(mode)]
    present = {system(row.mode) for row in section.rows}
    lines += [_paper_line(row, section, with_nsd) for row in paper if row.mode not in present]
    note = (
        f"{section.size} {READING} Columns of classes are DSC; the paper's means are over the classes of its dataset."
    )
    return Table(title, ("method", *section.classes, *means), tuple(lines), note)


def _our_line(mode: str, section: Section, with_nsd: bool) -> tuple[str, ...]:
    rows = at_usual_setting(section.of(mode))
    cells = [section.cell(of_classes(rows, (name,))) for name in section.classes]
    means = [section.cell(rows, value, len(section.classes)) for value in (lambda row: row.dsc, lambda row: row.nsd)]
    return (mode_name(mode, rows), *cells, *means[: 1 + with_nsd])


def _paper_line(row: PaperRow, section: Section, with_nsd: bool) -> tuple[str, ...]:
    cells = [percent_text(row.class_dsc(name)) for name in section.classes]
    means = [percent_text(row.mean_dsc), percent_text(row.mean_nsd)]
    return (f"paper, {row.dataset}: {row.method}", *cells, *means[: 1 + with_nsd])
