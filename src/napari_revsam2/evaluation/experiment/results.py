"""What an evaluation leaves: a row per dataset, class, group, volume, mode, N and k, kept as soon as it is known."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Generic, TypeVar, get_type_hints

from napari_revsam2.vocabulary.errors import VolumeFileError

RESULTS_FILE = "results.csv"
SLICES_FILE = "slices.csv"
_SLICE_VALUES = ("reverse_score", "dice", "nonempty")
"""Columns of a slice that are no part of its key; the last ones."""


@dataclass(frozen=True)
class ResultRow:
    """One query volume segmented for one class in one way; a row of ``results.csv``.

    Attributes
    ----------
    dataset, support_dataset : str
        Where query and supports are from; they differ in Table 3.
    label, class_name : int, str
        The class.
    group : int
        Number of the support set, from 0.
    volume : str
        The query's name.
    mode : str
        One of `engine.config.Mode`, ``one-shot``, a prompt (``points-1``, ``points-3``, ``box``, ``mask``), or the name
        of a comparator.
    n_support, top_k : int
        N and k; 0 where there is none.
    dsc, nsd : float
        0 to 1, over the volume; nan where neither truth nor result shows the class.
    chosen_dice, nonempty_dice : float
        Mean DSC of ``p_i`` over the conditional and over all non-empty slices; nan where the mode has none.
    rank_correlation : float
        Spearman's, of ``pi_i`` with the DSC of ``p_i`` over the non-empty slices; nan where not scored.
    seconds : float
        Wall time. Of modes that share forward and reverse propagation, ``forward`` tells the time of the former, the
        first k of ``revsam2`` that of all, and the rest what they added.
    """

    dataset: str
    support_dataset: str
    label: int
    class_name: str
    group: int
    volume: str
    mode: str
    n_support: int
    top_k: int
    dsc: float
    nsd: float
    chosen_dice: float
    nonempty_dice: float
    rank_correlation: float
    seconds: float

    @property
    def key(self) -> tuple[str | int, ...]:
        """What makes it this row and no other."""
        where = (self.dataset, self.support_dataset, self.label, self.group, self.volume)
        return (*where, self.mode, self.n_support, self.top_k)


@dataclass(frozen=True)
class SliceRow:
    """One query slice after forward and reverse propagation; a row of ``slices.csv``, for Figure 4.

    Attributes
    ----------
    reverse_score : float
        ``pi_i``.
    dice : float
        DSC of ``p_i``; nan where neither it nor the truth shows the class.
    nonempty : int
        1 where ``p_i`` shows anything.

    The others are as in `ResultRow`; ``slice`` counts from 0.
    """

    dataset: str
    support_dataset: str
    label: int
    group: int
    volume: str
    n_support: int
    slice: int
    reverse_score: float
    dice: float
    nonempty: int


RowT = TypeVar("RowT", ResultRow, SliceRow)


class RowFile(Generic[RowT]):
    """Rows in a CSV file, to which one process appends; a last line that was cut off is dropped.

    Parameters
    ----------
    path : Path
        The file; made with its header when the first row comes.
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
            text = _whole_lines(self.path.read_bytes()).decode()
            reader = csv.DictReader(io.StringIO(text, newline=""))
            if reader.fieldnames not in (None, self._columns):
                raise ValueError("other columns")
            for line in reader:
                yield self._kind(**{name: self._types[name](line[name]) for name in self._columns})
        except (OSError, TypeError, ValueError, csv.Error) as error:
            raise VolumeFileError(
                f"{self.path} can't be read as results ({error}): mend it, or give another folder."
            ) from error

    def append(self, rows: Iterable[RowT]) -> None:
        """Add rows; they are in the file when this returns.

        Raises
        ------
        VolumeFileError
            When the file can't be written, or the disk is full.
        """
        try:
            self._mend()
            new = not self.path.exists() or not self.path.stat().st_size
            with self.path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                if new:
                    writer.writerow(self._columns)
                writer.writerows(astuple(row) for row in rows)
        except OSError as error:
            raise VolumeFileError(
                f"{self.path} can't be written ({error.strerror or error}): free it or its disk, and go on."
            ) from error

    def _mend(self) -> None:
        """Take a line away that was cut off as it was written."""
        if self.path.exists() and not (content := self.path.read_bytes()).endswith(b"\n"):
            with self.path.open("r+b") as file:
                file.truncate(len(_whole_lines(content)))


def _whole_lines(content: bytes) -> bytes:
    """Leave out a last line that was cut off, perhaps inside a character."""
    return content[: content.rfind(b"\n") + 1]


def read_results(folder: Path) -> Sequence[ResultRow]:
    """Read all rows of an evaluation's folder."""
    return list(RowFile(folder / RESULTS_FILE, ResultRow).read())


def read_slices(folder: Path) -> Sequence[SliceRow]:
    """Read all slices of an evaluation's folder, each once: a work that was cut off writes its slices again."""
    rows = RowFile(folder / SLICES_FILE, SliceRow).read()
    return list({astuple(row)[: -len(_SLICE_VALUES)]: row for row in rows}.values())
