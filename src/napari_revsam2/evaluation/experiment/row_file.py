"""Rows in CSV files, which grow while an evaluation runs and survive its end at any moment."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar, get_type_hints

from napari_revsam2.vocabulary.errors import VolumeFileError

from .result_rows import ResultRow, SliceRow

RESULTS_FILE = "results.csv"
SLICES_FILE = "slices.csv"
_BLOCK = 2**16
_SLICE_VALUES = ("reverse_score", "dice", "nonempty")
"""Columns of a slice that are no part of its key; the last ones."""


RowT = TypeVar("RowT", ResultRow, SliceRow)


class RowFile(Generic[RowT]):
    """Rows in a CSV file, to which one process appends; a last line that was cut off is dropped.

    Parameters
    ----------
    path : Path
        The file; created with its header when the first row comes.
    kind : type
        `ResultRow` or `SliceRow`.
    """

    def __init__(self, path: Path, kind: type[RowT]) -> None:
        self.path = path
        self._kind: type[RowT] = kind
        self._columns = [field.name for field in fields(kind)]
        self._types = get_type_hints(kind)

    def read(self) -> Iterator[RowT]:
        """Read the whole rows; nothing where there is no file.

        Raises
        ------
        VolumeFileError
            When the file can't be read, is damaged, or has other columns.
        """
        if not self.path.exists():
            return
        try:
            with self.path.open("rb") as file:
                length = _length_of_whole_lines(file)
                file.seek(0)
                text = file.read(length).decode()
            reader = csv.DictReader(io.StringIO(text, newline=""))
            if reader.fieldnames not in (None, self._columns):
                raise ValueError("other columns")
            for line in reader:
                yield self._kind(**{name: self._types[name](line[name]) for name in self._columns})
        except (OSError, TypeError, ValueError, csv.Error) as error:
            raise VolumeFileError(
                f"{self.path} can't be read as results (damaged, or something else): correct it, or choose another"
                " folder."
            ) from error

    def append(self, rows: Iterable[RowT]) -> None:
        """Add rows; they are in the file when this returns.

        Raises
        ------
        VolumeFileError
            When the file can't be written, or the disk is full.
        """
        lines = io.StringIO(newline="")
        try:
            with self.path.open("a+b") as file:
                length = _length_of_whole_lines(file)
                file.truncate(length)
                writer = csv.writer(lines)
                if not length:
                    writer.writerow(self._columns)
                writer.writerows(astuple(row) for row in rows)
                file.write(lines.getvalue().encode())
        except OSError as error:
            raise VolumeFileError(
                f"{self.path} can't be written ({error.strerror or error}): free it or its disk, and start again."
            ) from error


def _length_of_whole_lines(file: BinaryIO) -> int:
    """Bytes up to a last line that was cut off; reads the end of the file alone, as it grows by many small pieces."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = file.seek(max(0, end - _BLOCK))
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def read_results(folder: Path) -> Sequence[ResultRow]:
    """Read all rows of an evaluation's folder."""
    return list(RowFile(folder / RESULTS_FILE, ResultRow).read())


def read_slices(folder: Path) -> Sequence[SliceRow]:
    """Read all slices of an evaluation's folder, each once: a job that was cut off writes its slices again."""
    rows = RowFile(folder / SLICES_FILE, SliceRow).read()
    return list({astuple(row)[: -len(_SLICE_VALUES)]: row for row in rows}.values())
