"""An evaluation from its jobs to rows on disk, which can be stopped and resumed at any time."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from .experiment import Experiment
from .job import JobFailure
from .results_folder import check_settings, keep_settings, locked_folder, write_result
from .row_file import read_results
from .unfinished import drop_unfinished
from .workers import compute_jobs


@dataclass(frozen=True)
class Progress:
    """How far an evaluation is.

    Attributes
    ----------
    total : int
        Jobs that were left when it began.
    finished : int
        Jobs that have ended, the failed ones among them.
    failures : tuple of JobFailure
        Those that failed.
    """

    total: int
    finished: int
    failures: tuple[JobFailure, ...]


def run_experiment(
    experiment: Experiment, folder: Path, workers: int = 1, scheduler: str = ""
) -> Generator[Progress, None, None]:
    """Run the jobs that are left; a generator: closing it between two jobs loses nothing.

    Only this process writes. A job's rows are on disk before its progress is yielded, and rows that are there are not
    computed again.

    Parameters
    ----------
    experiment : Experiment
        What to do.
    folder : Path
        Where results are, or will be.
    workers : int
        Processes on this machine.
    scheduler : str
        Address of a Dask scheduler, whose workers see the same files; ``workers`` then doesn't count.

    Raises
    ------
    ProblemError
        When the folder holds results of other settings, another process writes there, a class isn't there, or there is
        no Dask scheduler at the address.
    VolumeFileError
        When supports can't be drawn, or the folder not be read or written.
    """
    planned = {job.case for job in experiment.jobs()}
    with locked_folder(folder):
        begun = {row.case for row in read_results(folder)}
        settings = experiment.settings()
        check_settings(settings, experiment.settings(begun) if begun else (), folder)
        drop_unfinished(folder, planned)
        jobs = experiment.jobs({row.key for row in read_results(folder)})
        keep_settings(settings, folder)
        failures: tuple[JobFailure, ...] = ()
        yield Progress(len(jobs), 0, failures)
        for number, outcome in enumerate(compute_jobs(jobs, workers, scheduler), start=1):
            if isinstance(outcome, JobFailure):
                failures = (*failures, outcome)
            else:
                write_result(outcome, folder)
            yield Progress(len(jobs), number, failures)
