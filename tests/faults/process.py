"""A process of its own for each fault, forked from one that has imported everything and holds no threads."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from .jobs import CACHE, OUTPUT, Job
from .planted import Fault

HIDDEN = ".napari-revsam2-"
"""Beginning of the names of files that are being written, or were when their process ended."""
_NOT_ALLOWED = -1000


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes
    ----------
    code : int
        Exit code, or the signal that killed it, below 0.
    errors : str
        What it wrote on standard error, unless it was killed.
    files : dict of str to bytes
        What the output folder then holds, by name.
    """

    code: int
    errors: str
    files: dict[str, bytes]

    @property
    def message(self) -> str:
        """The one line on standard error."""
        (line,) = self.errors.splitlines()
        return line


def run(job: Job, folder: Path, *faults: Fault) -> Ending:
    """Do a job in its folder while faults are planted; skip the test where this system can't have them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.jobs"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(job, folder, faults, sender))
    process.start()
    sender.close()
    try:
        ending = receiver.recv()
    except EOFError:
        process.join()
        assert process.exitcode is not None
        return Ending(process.exitcode, "", contents(folder))
    process.join()
    if ending.code == _NOT_ALLOWED:
        pytest.skip(f"not allowed on this system: {ending.errors}")
    return ending


def contents(folder: Path) -> dict[str, bytes]:
    """What the output folder of a job holds; the lock of an evaluation, which is empty, aside."""
    output = folder / OUTPUT
    files = [path for path in sorted(output.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def _run(job: Job, folder: Path, faults: tuple[Fault, ...], sender: Connection) -> None:
    os.environ["NAPARI_REVSAM2_CACHE"] = str(folder / CACHE)
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as errors, ExitStack() as planted:
        try:
            for fault in faults:
                planted.enter_context(fault.planted())
        except PermissionError as error:
            sender.send(Ending(_NOT_ALLOWED, str(error), {}))
            return
        try:
            code = job(folder)
        except Exception:
            traceback.print_exc()
            code = 1
        except SystemExit as ending:
            code = int(ending.code or 0)
    sender.send(Ending(code, errors.getvalue(), contents(folder)))
