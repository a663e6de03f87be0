"""One table, and one line of it."""

from __future__ import annotations

from napari_revsam2.evaluation.experiment.result_rows import ResultRow
from napari_revsam2.evaluation.report.summary import make_tables
from napari_revsam2.evaluation.report.table import Table


def table(rows: list[ResultRow], title: str, slices=()) -> Table:
    (found,) = [t for t in make_tables(rows, slices) if t.title.startswith(title)]
    return found


def line(found: Table, *start: str) -> dict[str, str]:
    (row,) = [row for row in found.rows if row[: len(start)] == start]
    return dict(zip(found.header, row, strict=True))
