"""Tables in text files: a line of column names, then rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .catalogue import DatasetError
from .entries import EntriesT, read_text


def read_table(path: Path, row: type[EntriesT], delimiter: str = ",") -> list[tuple[str, EntriesT]]:
    """Read a table.

    Parameters
    ----------
    path : Path
        The file.
    row : type
        What a row must be; its fields are the columns.
    delimiter : str
        What separates columns.

    Returns
    -------
    list of (str, row)
        Each with file and line, for messages.

    Raises
    ------
    DatasetError
        When the file isn't such a table.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    try:
        _check_columns(path, reader.fieldnames or (), row)
        return [(where, row.parse(values, where)) for where, values in _lines(path, reader)]
    except csv.Error as error:
        raise DatasetError(
            f"{path}, line {reader.line_num + 1}, can't be read as a row of a table: save the table again."
        ) from error


def _check_columns(path: Path, columns: Sequence[str], row: type[EntriesT]) -> None:
    missing = [name for name, field in row.model_fields.items() if field.is_required() and name not in columns]
    if missing:
        raise DatasetError(f"{path} has no column {' and no column '.join(missing)}: add it in its first line.")
    if twice := [name for name in row.model_fields if columns.count(name) > 1]:
        raise DatasetError(f"{path} has the column {twice[0]} twice: remove one.")


def _lines(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for values in reader:
        where = f"{path}, line {reader.line_num}"
        if any(values.pop(None, ())):  # where DictReader puts what has no column
            raise DatasetError(f"{where}, has more values than columns: put quotes around a value with a comma in it.")
        yield where, {name: value or "" for name, value in values.items()}
