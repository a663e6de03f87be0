"""Processes that jobs are computed in: this one, several on this machine, or those of a Dask cluster."""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from napari_revsam2.vocabulary.errors import ProblemError

from .computation import run_job
from .job import Job, JobFailure, JobResult

_IGNORE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, lambda *_: None)"
"""Workers leave Ctrl-C, which a terminal sends to all, to this process, which ends them; what they call does not."""


def compute_jobs(jobs: Sequence[Job], workers: int, scheduler: str) -> Iterator[JobResult | JobFailure]:
    """Compute jobs, and yield what came of them as they end; the jobs of a Dask worker that dies go to the others.

    Raises
    ------
    ProblemError
        When there is no Dask scheduler at the address, or it stops meanwhile.
    """
    if not jobs:
        return
    if workers == 1 and not scheduler:
        yield from map(run_job, jobs)
        return
    from distributed import as_completed

    with _client(workers, scheduler) as client:
        apart = _volumes_apart(jobs)
        job_of = dict(zip(client.map(run_job, apart, pure=False), apart, strict=True))
        for future in as_completed(list(job_of), loop=client.loop):
            yield outcome_of(future, job_of.pop(future))
            future.release()


def outcome_of(future: Any, job: Job) -> JobResult | JobFailure:
    """Say what came of a job on a Dask worker.

    Raises
    ------
    ProblemError
        When the scheduler is gone.
    """
    from distributed import KilledWorker

    try:
        outcome: JobResult | JobFailure = future.result()
    except KilledWorker:
        return JobFailure(job, "Each process that tried it ended, most likely out of memory: use fewer workers.")
    except CancelledError as error:
        raise ProblemError(
            "The Dask scheduler has stopped: start one, and run the same command again; it resumes."
        ) from error
    return outcome


def _volumes_apart(jobs: Sequence[Job]) -> list[Job]:
    """Start with a job of each volume: processes that share one at the same time would all encode its slices."""
    return sorted(jobs, key=lambda job: (job.support_dataset, job.label, job.group))


@contextmanager
def _client(workers: int, scheduler: str) -> Iterator[Any]:
    from distributed import Client

    if not scheduler:
        with (
            tempfile.TemporaryDirectory(prefix="napari-revsam2-", ignore_cleanup_errors=True) as private,
            _local_cluster(workers, private) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout="5s", set_as_default=False)
    except (OSError, TypeError, ValueError) as error:  # TypeError: tls:// without keys
        raise ProblemError(
            f"There is no Dask scheduler at {scheduler} to connect to: start one (where it asks for TLS, with its keys "
            "in Dask's configuration), or omit --scheduler."
        ) from error
    with client:
        yield client


def _local_cluster(workers: int, private: str) -> Any:
    """Start processes that take work from this process alone: a scheduler runs what code its clients send.

    The keys are in the memory of these processes and nowhere else. HTTP asks for no key, so it serves no page. What
    workers move from memory to disk is read back as code too: it lies in a folder that other users can't open.
    """
    from dask import config
    from distributed import LocalCluster, Security

    no_pages: dict[str, list[str]] = {f"distributed.{role}.http.routes": [] for role in ("scheduler", "worker")}
    with _interrupts_ignored(), config.set(no_pages):
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            local_directory=private,
            security=Security.temporary(),
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.ERROR,  # a worker that is slow to end needs no message
            preload=[_IGNORE_INTERRUPTS],
        )


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Have processes that start meanwhile ignore Ctrl-C until they run `_IGNORE_INTERRUPTS`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
