"""The command line as a process: its streams, the signals that end it, and its exit code."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from .streams import OutputError, flushed, open_absent_streams, report

_INTERRUPTED = 130
_SIGNALS = ("SIGTERM", "SIGHUP")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    ==== ================================================================
    code meaning
    ==== ================================================================
    0    done
    1    the standard output can't be written, or an unexpected error
    2    a problem that the user can solve, in one sentence
    129  the terminal was closed (SIGHUP)
    130  Ctrl-C
    141  the reader of the standard output went away
    143  SIGTERM
    ==== ================================================================

    Raises
    ------
    SystemExit
        With the code, after help, after words that can't be parsed, and on SIGTERM and SIGHUP.
    """
    open_absent_streams()
    try:
        with _ended_by_signals():
            from .app import run  # takes a second, in which Ctrl-C is as silent as later

            code = run(arguments)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except OutputError as lost:
        report(lost)
        code = lost.code
    except SystemExit as ending:
        raise SystemExit(flushed(int(ending.code or 0))) from None
    return flushed(code)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the process as an exception does, so that temporary files are removed."""
    signals = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    is_main = threading.current_thread() is threading.main_thread()
    handled = [number for number in signals if is_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
