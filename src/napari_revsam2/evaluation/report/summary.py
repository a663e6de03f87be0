"""Tables, pictures and report over all that an evaluation's folder holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from napari_revsam2.evaluation.datasets.dataset import Dataset, Subject
from napari_revsam2.evaluation.datasets.labelled_stack import read_labelled_stack
from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.evaluation.experiment.result_rows import ResultRow, SliceRow
from napari_revsam2.evaluation.experiment.results_folder import mask_path
from napari_revsam2.evaluation.experiment.row_file import read_results, read_slices
from napari_revsam2.settings.config import Mode
from napari_revsam2.volume_files import read_labels, replaced_file

from .ablation_tables import difference_tables, mode_tables, reverse_score_tables, top_k_tables
from .charts import Overlay, best_median_worst, median_per_class, montage, score_chart
from .comparison_tables import comparison_tables, domain_table, one_shot_tables
from .html_report import Provenance, write_report
from .section import to_frame
from .table import Table

TABLES_FILE = "tables.md"
FIGURE_4 = "figure_4_reverse_score_and_dsc.png"
MONTAGE = "best_median_and_worst_case.png"


def write_summary(experiment: Experiment, folder: Path, command: Sequence[str] = ()) -> tuple[Table, ...]:
    """Write tables, pictures, report and provenance, and return the tables.

    Parameters
    ----------
    experiment : Experiment
        The last one that was run there; rows of earlier ones are shown too.
    folder : Path
        Where the rows are.
    command : sequence of str
        The command line, for the provenance.

    Raises
    ------
    VolumeFileError
        When something can't be written, or a volume of the montage not be read.
    """
    rows, slices = read_results(folder), read_slices(folder)
    tables = make_tables(rows, slices)
    write_tables(folder, tables)
    datasets = {dataset.name: dataset for pair in experiment.pairs for dataset in pair}
    provenance = Provenance(experiment.config, tuple(datasets.values()), tuple(command), experiment.checkpoint_sha256)
    write_report(folder, tables, tuple(_pictures(experiment, folder, rows, slices)), provenance)
    return tables


def make_tables(rows: Sequence[ResultRow], slices: Sequence[SliceRow]) -> tuple[Table, ...]:
    """Make Tables 1 to 6, differences between modes, and what the reverse score is worth.

    An evaluation that isn't complete gives what it has: cells without rows are dashes, tables without rows a sentence.
    """
    results, sliced = to_frame(rows, ResultRow), to_frame(slices, SliceRow)
    return (
        *comparison_tables(results),
        domain_table(results),
        *one_shot_tables(results),
        *mode_tables(results),
        *top_k_tables(results),
        *difference_tables(results),
        *reverse_score_tables(results, sliced),
    )


def write_tables(folder: Path, tables: Sequence[Table]) -> Path:
    """Write ``tables.md`` and return its path.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    path = folder / TABLES_FILE
    with replaced_file(path) as temporary:
        temporary.write_text("\n".join(table.to_markdown() for table in tables), encoding="utf-8")
    return path


def _pictures(
    experiment: Experiment, folder: Path, rows: Sequence[ResultRow], slices: Sequence[SliceRow]
) -> Iterator[Path]:
    scored = {item.case for item in slices}
    if cases := [row for row in median_per_class(rows) if row.case in scored]:
        score_chart(folder / FIGURE_4, slices, cases)
        yield folder / FIGURE_4
    queries = {(q.name, subject.name): (q, subject) for q, _ in experiment.pairs for subject in q.training + q.test}
    here = [row for row in rows if row.mode == Mode.REVSAM2.value and (row.dataset, row.volume) in queries]
    shown = best_median_worst([row for row in here if mask_path(folder, row).exists()])
    if shown:
        montage(folder / MONTAGE, [_overlay(folder, row, *queries[row.dataset, row.volume]) for row in shown])
        yield folder / MONTAGE


def _overlay(folder: Path, row: ResultRow, dataset: Dataset, subject: Subject) -> Overlay:
    volume = read_labelled_stack(subject, dataset.axis, dataset.window)
    mask = read_labels(mask_path(folder, row)).slices(dataset.axis)
    title = f"{row.class_name}, {row.dataset}, {row.volume}, group {row.group}: DSC {row.dsc:.3f}"
    rows_mm, columns_mm = volume.spacing[1:]
    truth = np.asarray(volume.labels == row.label)
    return Overlay(title, volume.images, volume.limits, truth, np.asarray(mask == row.label), rows_mm / columns_mm)
