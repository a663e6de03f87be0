"""Faults that are planted into a process: each a context in which a folder, the disk or the clock fails."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_CHANGES = {"os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.utime"}
_LOOKS = {"os.listdir", "os.scandir"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NEW_NAMESPACE, _NEW_USER = 0x00020000, 0x10000000
_READ_ONLY = 1


class Fault(Protocol):
    """Something that fails while its context is entered."""

    def planted(self) -> AbstractContextManager[None]:
        """Let it fail."""


@dataclass(frozen=True)
class Killed:
    """The process is killed, as by ``kill -9``, when it is about to change ``folder`` for the n-th time."""

    folder: Path
    number: int

    @contextmanager
    def planted(self) -> Iterator[None]:
        left = iter(range(self.number - 1))

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            if _has_effect(event, arguments) and _is_in(self.folder, arguments[0]) and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        with _heard(count):
            yield


@dataclass(frozen=True)
class Torn:
    """The process is killed by the system when it has written some bytes to a file."""

    path: Path
    n_bytes: int

    @contextmanager
    def planted(self) -> Iterator[None]:
        def limit(event: str, arguments: tuple[Any, ...]) -> None:
            if _is_change(event, arguments) and str(arguments[0]) == str(self.path):
                length = self.path.stat().st_size if self.path.exists() else 0
                _limit_files(length + self.n_bytes, signal.SIG_DFL)

        with _heard(limit):
            yield


@dataclass(frozen=True)
class NoLongerFiles:
    """No file may grow beyond a length in bytes: the write that would is an error, as on a full disk."""

    length: int

    @contextmanager
    def planted(self) -> Iterator[None]:
        _limit_files(self.length, signal.SIG_IGN)
        yield


@dataclass(frozen=True)
class Unchangeable:
    """Whoever changes something in ``folder`` gets an error, as on a read-only disk."""

    folder: Path
    error: int

    @contextmanager
    def planted(self) -> Iterator[None]:
        def refuse(event: str, arguments: tuple[Any, ...]) -> None:
            if _is_change(event, arguments) and _is_in(self.folder, arguments[0]):
                raise OSError(self.error, os.strerror(self.error), str(arguments[0]))

        with _heard(refuse):
            yield


@dataclass(frozen=True)
class Lost:
    """Whoever opens something in ``folder`` gets an error, as on a network drive that went away."""

    folder: Path
    error: int
    is_remembered: bool = False
    """Whether the system still tells what is there, as it does for a while."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        def fail(path: Any) -> None:
            if _is_in(self.folder, path):
                raise OSError(self.error, os.strerror(self.error), str(path))

        def refuse(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" or event in _CHANGES | _LOOKS:
                fail(arguments[0])

        def looking(look: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
            return lambda path, *more, **named: (fail(path), look(path, *more, **named))[1]

        stat, lstat = os.stat, os.lstat
        if not self.is_remembered:
            os.stat, os.lstat = looking(stat), looking(lstat)  # what no audit event tells of
        with _heard(refuse):
            yield
        os.stat, os.lstat = stat, lstat


@dataclass(frozen=True)
class SmallDisk:
    """A disk of its own, of some bytes, lies over ``folder``; Linux alone has it, and not for everyone."""

    folder: Path
    size: int

    @contextmanager
    def planted(self) -> Iterator[None]:
        mount(b"none", self.folder, b"tmpfs", 0, b"size=%d" % self.size)
        yield


@dataclass(frozen=True)
class ReadOnlyDisk:
    """``folder`` lies on a read-only disk; Linux alone has it, and not for everyone."""

    folder: Path

    @contextmanager
    def planted(self) -> Iterator[None]:
        bind, remount = 4096, 32
        mount(bytes(self.folder), self.folder, b"", bind)
        mount(b"", self.folder, b"", bind | remount | _READ_ONLY)
        yield


@dataclass(frozen=True)
class NoHome:
    """The user has a home in which nobody can create anything, and no other cache."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        os.environ["HOME"] = "/proc/home"
        for name in ("NAPARI_REVSAM2_CACHE", "XDG_CACHE_HOME"):
            os.environ.pop(name, None)
        yield


@dataclass(frozen=True)
class ClockSetBack:
    """After the first look at it, the clock is some seconds behind."""

    seconds: float

    @contextmanager
    def planted(self) -> Iterator[None]:
        now, behind = time.time, iter((0.0,))
        time.time = lambda: now() - next(behind, self.seconds)
        yield
        time.time = now


def mount(source: bytes, folder: Path, kind: bytes, flags: int, options: bytes = b"") -> None:
    """Mount for this process alone, whose end undoes it.

    Raises
    ------
    PermissionError
        When this isn't allowed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        _checked(libc.unshare(_NEW_NAMESPACE))
    else:
        _checked(libc.unshare(_NEW_NAMESPACE | _NEW_USER))
    recursive_private = 16384 | (1 << 18)
    _checked(libc.mount(b"none", b"/", None, recursive_private, None))
    _checked(libc.mount(source, bytes(folder), kind, flags, options))


def _limit_files(length: int, beyond: signal.Handlers) -> None:
    signal.signal(signal.SIGXFSZ, beyond)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, resource.RLIM_INFINITY))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise PermissionError(number, os.strerror(number))


@contextmanager
def _heard(hear: Callable[[str, tuple[Any, ...]], None]) -> Iterator[None]:
    """Hear the interpreter's audit events, among them all that open, rename or remove files."""
    is_on = [True]
    sys.addaudithook(lambda event, arguments: hear(event, arguments) if is_on[0] else None)
    yield
    is_on[0] = False


def _is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    return event in _CHANGES or (event == "open" and bool(arguments[2] & _WRITING))


def _has_effect(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a change leaves something else, unlike the removal of what is gone or the look at what a folder takes."""
    if event == "os.remove":
        return Path(arguments[0]).exists()
    if event == "os.mkdir":
        return not Path(arguments[0]).exists()
    return _is_change(event, arguments) and not (event == "open" and Path(arguments[0]).is_dir())


def _is_in(folder: Path, path: Any) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    return str(Path.cwd() / os.fsdecode(path)).startswith(str(folder))
