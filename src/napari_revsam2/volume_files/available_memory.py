"""The memory that a volume may take: a file that claims more is refused, before the system kills the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from napari_revsam2.vocabulary.errors import VolumeFileError

_MEMINFO = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup")


def check_memory(path: Path, needed: int) -> None:
    """Refuse a file whose voxels need more memory than is available.

    Parameters
    ----------
    path
        The file or folder, for the message.
    needed
        Bytes at the peak of reading.

    Raises
    ------
    VolumeFileError
        If they are more than Linux has available. Elsewhere nothing is known in advance: an allocation then fails with
        MemoryError.
    """
    available = available_memory()
    if available is not None and needed > available:
        raise VolumeFileError(
            f"{path} claims {needed / 2**30:.1f} GiB of voxels, more than the {available / 2**30:.1f} GiB of memory"
            " that are available: crop it, or export it again."
        )


def available_memory() -> int | None:
    """Bytes that can be taken without swapping, on this machine and in this container; None where it isn't known."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    with suppress(OSError, StopIteration, ValueError):
        yield _entry(_MEMINFO, "MemAvailable:") * 1024
    with suppress(OSError, StopIteration, ValueError):  # no container, or one without a limit ("max")
        yield int((_CONTAINER / "memory.max").read_text()) - _entry(_CONTAINER / "memory.stat", "anon")


def _entry(file: Path, name: str) -> int:
    lines = (line.split() for line in file.read_text().splitlines())
    return next(int(words[1]) for words in lines if words[:1] == [name])
