"""Standard output and standard error, which may be absent, full, or a pipe that nobody reads any more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

BROKEN_PIPE = 141
"""Exit code by which a shell tells of a command whose reader went away (128 + SIGPIPE)."""


class OutputError(Exception):
    """Standard output that takes no more text.

    Attributes
    ----------
    code : int
        The exit code that says so: `BROKEN_PIPE`, of which no word is lost, else 1.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"The standard output can't be written ({error.strerror}): send it to another place.")
        self.code = BROKEN_PIPE if isinstance(error, BrokenPipeError) else 1


def open_absent_streams() -> None:
    """Put the null device in the place of streams that the caller closed.

    Not only for what is printed: the next file that is opened, such as a mask, would otherwise get the number of the
    standard output or error, and with it what libraries print there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - stays open


def say(text: str) -> None:
    """Print lines on standard output.

    Raises
    ------
    OutputError
        When it takes no more text.
    """
    try:
        sys.stdout.write(text + "\n")
    except OSError as error:
        raise OutputError(error) from error


def note(text: str) -> None:
    """Print one line on standard error; that nobody can read it is no error."""
    with suppress(OSError):
        sys.stderr.write(one_line(text) + "\n")


def one_line(text: str) -> str:
    """Escape line breaks, control characters and what no text file takes, all of which names of files may hold."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def flushed(code: int) -> int:
    """Write what is still buffered, and return the exit code: the one passed unless the output turns out to be lost."""
    try:
        sys.stdout.flush()
    except OSError as error:
        lost = OutputError(error)
        if not code:
            code = lost.code
            report(lost)
        _silence(sys.stdout)
    try:
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)
    return code


def report(lost: OutputError) -> None:
    """Tell of output that was lost, unless its reader went away on purpose."""
    if lost.code != BROKEN_PIPE:
        note(f"napari-revsam2: {lost}")


def _silence(stream: TextIO) -> None:
    """Lead a stream to the null device: what it still holds would make Python complain, and change the exit code."""
    with suppress(OSError):  # a stream that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
