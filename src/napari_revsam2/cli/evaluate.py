"""The paper's experiments on the user's datasets: results, tables, figures, report."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from napari_revsam2.evaluation.datasets.dataset import Dataset
from napari_revsam2.evaluation.datasets.dataset_csv import CLASSES_FILE
from napari_revsam2.evaluation.datasets.dataset_json import DATASET_JSON
from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.evaluation.experiment.job import JobFailure
from napari_revsam2.evaluation.experiment.protocol import Protocol
from napari_revsam2.evaluation.experiment.results_folder import LOCK_FILE, MASKS_FOLDER, SETTINGS_FILE
from napari_revsam2.evaluation.experiment.row_file import RESULTS_FILE, SLICES_FILE
from napari_revsam2.evaluation.experiment.runner import Progress, run_experiment
from napari_revsam2.evaluation.report.html_report import PROVENANCE_FILE, REPORT_FILE
from napari_revsam2.evaluation.report.summary import FIGURE_4, MONTAGE, TABLES_FILE, write_summary
from napari_revsam2.evaluation.systems.registry import find_systems
from napari_revsam2.sam2_backend.checkpoints.checkpoint import find_checkpoint, sha256_of
from napari_revsam2.sam2_backend.device import resolved
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from napari_revsam2.volume_files.protected_inputs import ProtectedInputs, lies_in

from .cache_commands import check_cache
from .streams import note, one_line, say

_WRITTEN = (
    LOCK_FILE, SETTINGS_FILE, RESULTS_FILE, SLICES_FILE, MASKS_FOLDER, TABLES_FILE, FIGURE_4, MONTAGE, REPORT_FILE,
    PROVENANCE_FILE,
)  # fmt: skip
"""What an evaluation writes into its folder."""


def run_evaluation(options: argparse.Namespace, config: RevSAM2Config) -> None:
    """Open the datasets, run the jobs that are left, and write tables and report over all that is there.

    Raises
    ------
    RevSAM2Error
        For everything the user can correct; jobs that failed are reported at the end, when the others are done.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # in a file on Windows it may have no π
        sys.stdout.reconfigure(errors="replace")
    experiment = _experiment(options, config)
    _check_output(options, experiment)
    with closing(run_experiment(experiment, options.output, options.workers, options.scheduler or "")) as steps:
        *_, last = _with_bar(steps)
    for table in write_summary(experiment, options.output, options.words):
        if table.header:
            say(table.to_markdown())
    say(f"{one_line(str(options.output))}: results.csv, tables.md, report.html")
    if last.failures:
        raise ProblemError(f"{len(last.failures)} of {last.total} jobs failed. " + _reasons(last.failures))


def _check_output(options: argparse.Namespace, experiment: Experiment) -> None:
    """Refuse a folder in which results would be written over, or among, what is read."""
    read = tuple(_inputs(options, experiment))
    inputs = ProtectedInputs.of(read)
    check_cache(inputs)
    for name in _WRITTEN:
        inputs.check(options.output / name)
    masks = options.output / MASKS_FOLDER
    for path in read:
        if lies_in(path, masks):
            raise VolumeFileError(f"{path} is read, but {masks} is written: write to another folder.")


def _inputs(options: argparse.Namespace, experiment: Experiment) -> Iterator[Path]:
    """Datasets, what they consist of, and the weights; a folder stands for all that is in it."""
    for dataset in filter(None, (*options.dataset, options.supports_from)):
        yield dataset.parent if dataset.name == DATASET_JSON else dataset
        yield dataset.parent / CLASSES_FILE
    for subject in {subject for pair in experiment.pairs for d in pair for subject in (*d.training, *d.test)}:
        yield from (subject.image, subject.labels)
    with find_checkpoint(experiment.config.checkpoint).on_disk() as weights:
        yield weights


def _reasons(failures: Sequence[JobFailure]) -> str:
    """Tell each reason once, with the volumes it kept from being segmented."""
    volumes: dict[str, dict[str, None]] = defaultdict(dict)
    for failure in failures:
        volumes[failure.reason][failure.job.query.name] = None
    return " ".join(f"{', '.join(names)}: {reason}" for reason, names in volumes.items())


def _experiment(options: argparse.Namespace, config: RevSAM2Config) -> Experiment:
    datasets = [open_dataset(path, options.description, options.window, options.axis) for path in options.dataset]
    checkpoint = find_checkpoint(config.checkpoint)
    with checkpoint.on_disk() as path:
        checkpoint_hash = sha256_of(path)
    if checkpoint.is_private:  # a Dask worker may have been started in another folder
        config = replace(config, checkpoint=str(Path(config.checkpoint).absolute()))
    if not options.scheduler:  # whose workers may be on machines with another device
        config = resolved(config)
    return Experiment(
        pairs=_pairs(datasets, options),
        protocol=Protocol(
            n_support=tuple(dict.fromkeys(options.n_support)),
            top_k=tuple(dict.fromkeys(options.top_k)),
            modes=tuple(dict.fromkeys(options.modes)),
            groups=options.groups,
            one_shot=options.one_shot,
            seed=config.seed,
        ),
        config=config,
        labels=tuple(dict.fromkeys(options.label or ())),
        compared=tuple(_possible(options.compare, config)),
        tolerance=options.tolerance,
        checkpoint_sha256=checkpoint_hash,
    )


def _pairs(datasets: list[Dataset], options: argparse.Namespace) -> tuple[tuple[Dataset, Dataset], ...]:
    """Each dataset from its own supports, or all from those of one (Table 3)."""
    names = [dataset.name for dataset in datasets]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ProblemError(f"Two datasets are called {repeated.pop()}: rename one of the folders.")
    if options.supports_from is None:
        return tuple((dataset, dataset) for dataset in datasets)
    window = options.supports_window or options.window
    supports = open_dataset(options.supports_from, options.supports_description, window, options.axis)
    if any(dataset.name == supports.name and dataset != supports for dataset in datasets):
        raise ProblemError(f"Queries and supports are of two datasets called {supports.name}: rename one of them.")
    return tuple((dataset, supports) for dataset in datasets)


def _possible(names: list[str], config: RevSAM2Config) -> Iterator[str]:
    """Yield the other systems that can run on this machine; print why the rest can't."""
    for system in find_systems(tuple(dict.fromkeys(names)), config):
        if reason := system.missing():
            note(f"{system.name} is left out. {reason}")
        else:
            yield system.name


def _with_bar(steps: Iterator[Progress]) -> Iterator[Progress]:
    """Pass steps on, and show them on standard error if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProgressBar(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("Evaluation", total=None)
        for step in steps:
            bars.update(bar, total=step.total, completed=step.finished)
            yield step
