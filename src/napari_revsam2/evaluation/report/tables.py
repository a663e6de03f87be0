"""The paper's tables from the rows of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_revsam2.evaluation.experiment.results import ResultRow, SliceRow
from napari_revsam2.volume_files import replaced_file

from .ablation_tables import difference_tables, mode_tables, reverse_score_tables, top_k_tables
from .comparison_tables import comparison_tables, domain_table, one_shot_tables
from .result_table import Table

__all__ = ["TABLES_FILE", "Table", "make_tables", "write_tables"]

TABLES_FILE = "tables.md"


def make_tables(rows: Sequence[ResultRow], slices: Sequence[SliceRow]) -> tuple[Table, ...]:
    """Make Tables 1 to 6, differences between modes, and what the reverse score is worth.

    An evaluation that isn't complete gives what it has: cells without rows are dashes, tables without rows a sentence.
    """
    return (
        *comparison_tables(rows),
        domain_table(rows),
        *one_shot_tables(rows),
        *mode_tables(rows),
        *top_k_tables(rows),
        *difference_tables(rows),
        *reverse_score_tables(rows, slices),
    )


def write_tables(folder: Path, tables: Sequence[Table]) -> Path:
    """Write ``tables.md`` and give its path.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    path = folder / TABLES_FILE
    with replaced_file(path) as temporary:
        temporary.write_text("\n".join(table.to_markdown() for table in tables), encoding="utf-8")
    return path
