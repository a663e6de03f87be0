"""``napari-revsam2 models``: the checkpoints that have a name, on this machine and beyond."""

from __future__ import annotations

import sys
from io import StringIO
from shutil import get_terminal_size

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from napari_revsam2.sam2_backend.checkpoints.checkpoint import known_checkpoints
from napari_revsam2.sam2_backend.checkpoints.downloads import download
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint, checkpoint_folder
from napari_revsam2.vocabulary.errors import CheckpointError
from napari_revsam2.vocabulary.names import meant

from .streams import say


def list_models() -> None:
    """Print what there is, and which of it is on this machine."""
    table = Table("name", "size", "available", "what it is", "licence", box=None, padding=(0, 2, 0, 0))
    for model in known_checkpoints().values():
        is_available = "yes" if model.is_available else "no"
        table.add_row(model.name, f"{model.megabytes} MB", is_available, model.about, model.licence)
    width = get_terminal_size().columns if sys.stdout.isatty() else 160
    printed = StringIO()  # where a pipe is broken, Rich would end the process itself
    Console(file=printed, width=width).print(table)
    say(printed.getvalue().rstrip("\n"))


def download_model(name: str) -> None:
    """Download a checkpoint, with a progress bar on a terminal.

    Raises
    ------
    CheckpointError
        When there is none of that name, or it can't be downloaded.
    """
    model = _known(name)
    console = Console(stderr=True)
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        path = download(model, lambda done, total: bar.update(task, completed=done, total=total or None))
    say(str(path))


def show_where(name: str | None) -> None:
    """Print the path of a checkpoint, or of the folder they are in.

    Raises
    ------
    CheckpointError
        When there is none of that name.
    """
    say(str(_known(name).path if name else checkpoint_folder()))


def remove_model(name: str) -> None:
    """Delete a downloaded checkpoint, or the part of it that has come.

    Raises
    ------
    CheckpointError
        When there is none of that name, it hasn't been downloaded, or it can't be removed.
    """
    path = _known(name).path
    try:
        there = [p for p in (path, path.with_name(path.name + ".part")) if p.is_file()]
        for file in there:
            file.unlink()
    except OSError as error:
        raise CheckpointError(
            f"{path} can't be removed ({error.strerror}): look at the permissions of its folder."
        ) from error
    if not there:
        raise CheckpointError(f"{name} hasn't been downloaded: there is nothing to remove.")


def _known(name: str) -> PublishedCheckpoint:
    if name not in PUBLISHED:
        raise CheckpointError(f"There is no published checkpoint {name!r}: {meant(name, PUBLISHED)}")
    return PUBLISHED[name]
