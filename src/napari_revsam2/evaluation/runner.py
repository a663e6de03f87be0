"""Works to rows on the disk: here, in several processes, or on a Dask cluster; stopped and started at will."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_revsam2.engine.errors import ProblemError, RevSAM2Error
from napari_revsam2.volume_files import from_slices, read_image, replaced_file, write_labels

from .experiment import Experiment
from .protocol import Setting
from .results import RESULTS_FILE, SLICES_FILE, ResultRow, RowFile, SliceRow
from .work import Done, Work, compute

SETTINGS_FILE = "settings.json"
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
        When the folder holds results of other settings, or a class isn't there.
    VolumeFileError
        When supports can't be drawn, or the folder not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check_settings(experiment, folder)
    results = RowFile(folder / RESULTS_FILE, ResultRow)
    works = tuple(experiment.works({row.key for row in results.read()}))
    failed: tuple[Failed, ...] = ()
    yield Step(len(works), 0, failed)
    for number, outcome in enumerate(_outcomes(works, workers, scheduler), start=1):
        if isinstance(outcome, Failed):
            failed = (*failed, outcome)
        else:
            _keep(outcome, folder, results, default_setting(experiment))
        yield Step(len(works), number, failed)


def default_setting(experiment: Experiment) -> Setting:
    """Name the setting whose masks are kept: the method with the first N and the first k."""
    return Setting("revsam2", experiment.protocol.n_support[0], experiment.protocol.top_k[0])


def mask_path(folder: Path, row: ResultRow) -> Path:
    """Say where the mask of the method with the first N and k is kept, for that volume, class and group."""
    parts = (f"{row.dataset}_from_{row.support_dataset}", f"{row.volume}_class{row.label}_group{row.group}.nii.gz")
    return Path(folder / MASKS_FOLDER, *(re.sub(r"[^\w.-]", "_", part) for part in parts))


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
        for future in as_completed(client.map(attempt, works, pure=False)):
            yield future.result()
            future.release()


@contextmanager
def _client(workers: int, scheduler: str) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if not scheduler:
        local = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
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


def _keep(done: Done, folder: Path, results: RowFile[ResultRow], default: Setting) -> None:
    """Write all of a work, its rows last: a work with rows is finished."""
    if default in done.masks:
        path = mask_path(folder, done.rows[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        segmentation = done.masks[default].astype("uint8") * done.work.label
        write_labels(path, from_slices(segmentation, done.work.axis), like=read_image(done.work.query.image))
    RowFile(folder / SLICES_FILE, SliceRow).append(done.slices)
    results.append(done.rows)


def _check_settings(experiment: Experiment, folder: Path) -> None:
    """Refuse to mix results of different settings."""
    path, settings = folder / SETTINGS_FILE, experiment.settings()
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        if differing := sorted(name for name in settings.keys() & known.keys() if settings[name] != known[name]):
            was = ", ".join(f"{name} {known[name]}" for name in differing)
            raise ProblemError(f"{folder} holds results of other settings ({was}): give those, or another folder.")
        settings = {**known, **settings}
    with replaced_file(path) as temporary:
        temporary.write_text(json.dumps(settings, indent=1), encoding="utf-8")
