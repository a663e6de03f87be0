"""Rows in CSV files, which grow while an evaluation runs and survive its end at any moment."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, get_type_hints

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.vocabulary.spreadsheet_text import escaped, unescaped
from napari_revsam2.volume_files import replaced_file

from .result_rows import ResultRow, SliceRow

RESULTS_FILE = "results.csv"
SLICES_FILE = "slices.csv"
_JOB_END, _LINE_END = "\r\n", "\n"
"""Rows of one job end in the latter, the last of them in the former, as all rows once did: any reader takes both."""
_BLOCK = 2**16
_LARGEST = 1e9
"""No id, count, measure or second is beyond; nan may be."""
_SLICE_VALUES = ("reverse_score", "dice", "nonempty")
"""Columns of a slice that are no part of its key; the last ones."""


RowT = TypeVar("RowT", ResultRow, SliceRow)


class RowFile(Generic[RowT]):
    """Rows in a CSV file, to which one process appends those of a job; a last job that was cut off is dropped.

    Text that a spreadsheet would take for a formula has an apostrophe before it in the file.

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
        """Read the rows of whole jobs; nothing where there is no file.

        Raises
        ------
        VolumeFileError
            When the file can't be read, is damaged, or has other columns.
        """
        return (row for _, row in self._lines())

    def append(self, rows: Sequence[RowT]) -> None:
        """Add the rows of a job; they are in the file when this returns.

        Raises
        ------
        VolumeFileError
            When the file can't be written, or the disk is full.
        """
        if not rows:
            return
        text = _text([_cells(row) for row in rows])
        try:
            with self.path.open("a+b") as file:
                length = _length_of_whole_jobs(file)
                file.truncate(length)
                file.write(((not length) * _text([self._columns]) + text).encode())
        except OSError as error:
            raise VolumeFileError(
                f"{self.path} can't be written ({error.strerror or error}): free it or its disk, and start again."
            ) from error

    def keep(self, wanted: Callable[[RowT], bool]) -> None:
        """Drop all rows but those that are wanted, whose lines stay as they are.

        Raises
        ------
        VolumeFileError
            As for `read`, or when the file can't be written; it is then as it was.
        """
        kept, dropped = [_text([self._columns])], False
        for line, row in self._lines():
            if wanted(row):
                kept.append(line)
            else:
                dropped = True
                kept[-1] = kept[-1].rstrip() + _JOB_END
        if dropped:
            with replaced_file(self.path) as temporary:
                temporary.write_bytes("".join(kept).encode())

    def _lines(self) -> Iterator[tuple[str, RowT]]:
        """Each row of a whole job, after its line in the file."""
        for number, line in enumerate(io.StringIO(self._whole_jobs(), newline=""), start=1):
            try:
                (cells,) = csv.reader([line], strict=True)
                if number == 1 and cells != self._columns:
                    raise ValueError("other columns")
                if number > 1 and cells:
                    yield line, self._row(cells)
            except (ValueError, csv.Error) as error:
                raise VolumeFileError(
                    f"{self.path} can't be read as results, as its line {number} isn't one of them: correct it, or "
                    "choose another folder."
                ) from error

    def _whole_jobs(self) -> str:
        if not self.path.exists():
            return ""
        try:
            with self.path.open("rb") as file:
                length = _length_of_whole_jobs(file)
                file.seek(0)
                return file.read(length).decode()
        except OSError as error:
            raise VolumeFileError(
                f"{self.path} can't be read ({error.strerror or error}): free it, or choose another folder."
            ) from error
        except UnicodeDecodeError as error:
            raise VolumeFileError(
                f"{self.path} can't be read as results, as it isn't in UTF-8: save it so, or choose another folder."
            ) from error

    def _row(self, cells: Sequence[str]) -> RowT:
        named = zip(self._columns, map(unescaped, cells), strict=True)
        values = {name: self._types[name](cell) for name, cell in named}
        if any(abs(value) > _LARGEST for value in values.values() if not isinstance(value, str)):
            raise ValueError("a number that nothing here can be")
        return self._kind(**values)


def _cells(row: ResultRow | SliceRow) -> list[Any]:
    return [escaped(value) if isinstance(value, str) else value for value in astuple(row)]


def _text(lines: Iterable[Sequence[Any]]) -> str:
    """Write the lines of one job."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_LINE_END).writerows(lines)
    return text.getvalue().removesuffix(_LINE_END) + _JOB_END


def _length_of_whole_jobs(file: BinaryIO) -> int:
    """Bytes up to a last job that was cut off; up to a last line, where an editor has changed how lines end."""
    return _end_of_last(_JOB_END.encode(), file) or _end_of_last(_LINE_END.encode(), file)


def _end_of_last(mark: bytes, file: BinaryIO) -> int:
    """Search from the end of the file, block by block, as it grows by many small pieces; 0 where there is no mark."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = file.seek(max(0, end - _BLOCK))
        place = file.read(end - start + len(mark) - 1).rfind(mark)  # which may lie across two blocks
        if place >= 0:
            return start + place + len(mark)
        end = start
    return 0


def read_results(folder: Path) -> Sequence[ResultRow]:
    """Read all rows of an evaluation's folder, each once."""
    return list({row.key: row for row in RowFile(folder / RESULTS_FILE, ResultRow).read()}.values())


def read_slices(folder: Path) -> Sequence[SliceRow]:
    """Read all slices of an evaluation's folder, each once: a job of another k writes its slices again."""
    rows = RowFile(folder / SLICES_FILE, SliceRow).read()
    return list({astuple(row)[: -len(_SLICE_VALUES)]: row for row in rows}.values())
