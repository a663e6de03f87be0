"""Works to rows on the disk: here, in several processes, or on a Dask cluster; stopped and started at will."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from napari_revsam2.vocabulary.errors import ProblemError, RevSAM2Error, VolumeFileError
from napari_revsam2.volume_files import from_slices, read_image, replaced_file, write_labels

from .experiment import Experiment
from .results import RESULTS_FILE, SLICES_FILE, ResultRow, RowFile, SliceRow
from .work import Done, Work, compute

SETTINGS_FILE = "settings.json"
LOCK_FILE = ".lock"
_DEAF = "import signal; signal.signal(signal.SIGINT, lambda *_: None)"
"""Workers leave Ctrl-C, which a terminal sends to all, to this process, which ends them; what they call does not."""
MASKS_FOLDER = "masks"


@dataclass(frozen=True)
class Failed:
    """A work that a problem of its files or settings ended, in a sentence."""

    work: Work
    reason: str


@dataclass(frozen=True)
class Step:
    """How far an evaluation is."""

    total: int
    """Works in this go."""
    finished: int
    failed: tuple[Failed, ...]


def run_experiment(
    experiment: Experiment, folder: Path, workers: int = 1, scheduler: str = ""
) -> Generator[Step, None, None]:
    """Do what is left to do; a generator: closing it between two works loses nothing.

    Only this process writes. A work's rows are on the disk before the next step is told, and rows that are there
    are not computed again.

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
        When the folder holds results of other settings, another process writes there, or a class isn't there.
    VolumeFileError
        When supports can't be drawn, or the folder not be read or written.
    """
    settings = experiment.settings()
    with _held(folder):
        results = RowFile(folder / RESULTS_FILE, ResultRow)
        works = tuple(experiment.works({row.key for row in results.read()}))
        _check_settings(settings, folder)
        failed: tuple[Failed, ...] = ()
        yield Step(len(works), 0, failed)
        for number, outcome in enumerate(_outcomes(works, workers, scheduler), start=1):
            if isinstance(outcome, Failed):
                failed = (*failed, outcome)
            else:
                _keep(outcome, folder, results)
            yield Step(len(works), number, failed)


def mask_path(folder: Path, row: ResultRow) -> Path:
    """Say where the mask of a row of mode ``revsam2`` is kept; there is one for `Protocol.usual` alone."""
    pair = _file_name(f"{row.dataset}_from_{row.support_dataset}")
    setting = f"class{row.label}_group{row.group}_N{row.n_support}_k{row.top_k}"
    return folder / MASKS_FOLDER / pair / f"{_file_name(row.volume)}_{setting}.nii.gz"


def _file_name(name: str) -> str:
    """Write a name so that any disk takes it; a hash keeps apart those that would become one."""
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:100]
    if plain == name:
        return name
    return f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Make the folder, and keep a second process from writing rows there too."""
    _make(folder)
    lock = FileLock(folder / LOCK_FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ProblemError(f"Another evaluation writes into {folder}: wait for it, or give another folder.") from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> VolumeFileError:
    return VolumeFileError(f"{folder} can't be written ({error.strerror or error}): free it, or give another folder.")


def attempt(work: Work) -> Done | Failed:
    """Compute a work, or say why it can't be."""
    try:
        return compute(work)
    except RevSAM2Error as error:
        return Failed(work, str(error))


def _outcomes(works: Sequence[Work], workers: int, scheduler: str) -> Iterator[Done | Failed]:
    """Outcomes as they come; a Dask worker that dies leaves its works to the others."""
    if not works:
        return
    if workers == 1 and not scheduler:
        yield from map(attempt, works)
        return
    from distributed import as_completed

    with _client(workers, scheduler) as client:
        work_of = dict(zip(client.map(attempt, works, pure=False), works, strict=True))
        for future in as_completed(list(work_of)):
            yield outcome_of(future, work_of.pop(future))
            future.release()


def outcome_of(future: Any, work: Work) -> Done | Failed:
    """Give what came of a work on a Dask worker.

    Raises
    ------
    ProblemError
        When the scheduler is gone.
    """
    from distributed import KilledWorker

    try:
        outcome: Done | Failed = future.result()
    except KilledWorker:
        return Failed(work, "Each process that tried it ended, most likely for want of memory: use fewer workers.")
    except CancelledError as error:
        raise ProblemError("The Dask scheduler is gone: start one, and this command again; it goes on.") from error
    return outcome


@contextmanager
def _client(workers: int, scheduler: str) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if not scheduler:
        with _interrupts_ignored():
            local = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,  # that a worker is slow to end is no news
                preload=[_DEAF],
            )
        with local as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout="5s")
    except (OSError, ValueError) as error:
        raise ProblemError(
            f"There is no Dask scheduler at {scheduler}: start one, or leave --scheduler out."
        ) from error
    with client:
        yield client


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Have processes that start meanwhile ignore Ctrl-C until they run `_DEAF`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _keep(done: Done, folder: Path, results: RowFile[ResultRow]) -> None:
    """Write all of a work, its rows last: a work with rows is finished."""
    if done.mask is not None:
        kept = done.work.kept
        (row,) = (r for r in done.rows if (r.mode, r.n_support, r.top_k) == (kept.mode, kept.n_support, kept.top_k))
        path = mask_path(folder, row)
        _make(path.parent)
        segmentation = done.mask.astype("uint32") * done.work.label
        write_labels(path, from_slices(segmentation, done.work.axis), like=read_image(done.work.query.image))
    RowFile(folder / SLICES_FILE, SliceRow).append(done.slices)
    results.append(done.rows)


def _check_settings(settings: Mapping[str, Any], folder: Path) -> None:
    """Refuse to mix results of different settings; those of a run that left no row bind nobody."""
    path = folder / SETTINGS_FILE
    begun = any((folder / name).exists() for name in (RESULTS_FILE, SLICES_FILE))
    known = _read_settings(path) if begun and path.exists() else {}
    if differing := [name for name in settings if name in known and settings[name] != known[name]]:
        more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
        was = f"{differing[0]} {known[differing[0]]}{more}"
        raise ProblemError(f"{folder} holds results of other settings ({was}): give those, or another folder.")
    with replaced_file(path) as temporary:
        temporary.write_text(json.dumps({**known, **settings}, indent=1), encoding="utf-8")


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise VolumeFileError(
            f"{path} can't be read ({error}): give another folder, or delete it if you know that the settings are the "
            "same."
        ) from error
