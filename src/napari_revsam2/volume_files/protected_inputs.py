"""What is read, and so must never be written: single files, and folders as a whole."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_revsam2.vocabulary.errors import VolumeFileError

from .dicom import CHAOS_IMAGES

_PAIR = (".hdr", ".img")
_Identity = tuple[int, int] | str
"""Device and inode of what exists, which hard links and other spellings of a name share; else its real path."""


@dataclass(frozen=True)
class ProtectedInputs:
    """Files that no output may replace, and folders that no output may lie in.

    Attributes
    ----------
    files : frozenset
        Identities of the files.
    folders : mapping
        The folders by their identities.
    """

    files: frozenset[_Identity]
    folders: Mapping[_Identity, Path]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> ProtectedInputs:
        """Protect files, both halves of an image in two files, and folders with what their links lead to."""
        read = [path for given in paths for path in _read_with(given)]
        folders = {_identity(path): path for path in read if os.path.isdir(path)}  # noqa: PTH112 - see _identity
        return cls(frozenset(_identity(path) for path in read) - folders.keys(), folders)

    def and_file(self, path: Path) -> ProtectedInputs:
        """Protect one more file, such as another output."""
        return ProtectedInputs(self.files | {_identity(path)}, self.folders)

    def check(self, output: Path, remedy: str = "write to another folder") -> None:
        """Refuse an output that would replace, or lie among, what is read; links are followed first.

        Raises
        ------
        VolumeFileError
            When it would; ``remedy`` says in the message what to do where a folder is the reason.
        """
        around = _identities_around(output)
        if folder := next((self.folders[each] for each in around if each in self.folders), None):
            raise VolumeFileError(f"{output} lies in {folder}, which is a folder that is read as a whole: {remedy}.")
        if around[0] in self.files:
            raise VolumeFileError(f"{output} is also an input or another output: write to a file of its own.")


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is, or really lies in, a folder, however both are spelled."""
    return _identity(folder) in _identities_around(path)


def _identities_around(path: Path) -> tuple[_Identity, ...]:
    """Identify what a path leads to, and the folders that this lies in, the innermost first."""
    real = Path(os.path.realpath(path))
    return tuple(map(_identity, (real, *real.parents)))


def _identity(path: Path) -> _Identity:
    try:
        status = path.stat()
    except OSError:  # it doesn't exist, or may not be looked at
        status = None
    if status is not None and status.st_ino:
        return status.st_dev, status.st_ino
    # Upper and lower case, and the ways to write an accent, are one on many disks: better refused than overwritten.
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()


def _read_with(path: Path) -> Iterator[Path]:
    """Everything that is read when a path is read."""
    yield path
    if path.suffix.lower() in _PAIR:
        yield from (path.with_suffix(half) for ending in _PAIR for half in (ending, ending.upper()))
    for folder in (path, path.parent / CHAOS_IMAGES):
        if os.path.isdir(path) and os.path.isdir(folder):  # noqa: PTH112 - pathlib's raises in a closed folder
            yield folder
            yield from _inside(folder)


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # who reads it will say so
        return []
