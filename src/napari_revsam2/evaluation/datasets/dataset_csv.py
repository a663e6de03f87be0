"""A CSV file of images and their labels, for data that lie in no usual layout or are to be split otherwise."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .catalogue import DatasetError
from .dataset import Dataset, Subject
from .dataset_json import volume_name

CLASSES_FILE = "classes.csv"
_TRAINING, _TEST = "training", "test"


def open_dataset_csv(path: Path) -> Dataset:
    """Open a CSV file with the columns ``image`` and ``labels``, and if wanted ``name`` and ``split``.

    Paths are relative to the file; ``split`` is ``training`` (also when empty) or ``test``. Classes are named by
    ``classes.csv`` beside it, with the columns ``id`` and ``name``; without it they are left empty.

    Raises
    ------
    DatasetError
        When one of the files can't be read, lacks a column or a value, or has another split or an id that is no
        whole number from 1.
    """
    rows = [(_subject(row, path, line), _split(row, path, line)) for line, row in _read_rows(path, ("image", "labels"))]
    training, test = (tuple(subject for subject, split in rows if split == part) for part in (_TRAINING, _TEST))
    return Dataset(path.stem, _read_classes(path.with_name(CLASSES_FILE)), training, test)


def _subject(row: Mapping[str, str], path: Path, line: int) -> Subject:
    image, labels = row["image"], row["labels"]
    if not (image and labels):
        raise DatasetError(f"{path}, line {line}: a volume needs an image and labels; add what is missing.")
    return Subject(row.get("name") or volume_name(Path(image)), path.parent / image, path.parent / labels)


def _split(row: Mapping[str, str], path: Path, line: int) -> str:
    split = (row.get("split") or _TRAINING).lower()
    if split not in (_TRAINING, _TEST):
        raise DatasetError(f"{path}, line {line}: the split {split!r} isn't known; use {_TRAINING} or {_TEST}.")
    return split


def _read_classes(path: Path) -> dict[int, str]:
    if not path.exists():
        return {}
    classes = {}
    for line, row in _read_rows(path, ("id", "name")):
        if not row["id"].isdecimal() or int(row["id"]) == 0:
            raise DatasetError(f"{path}, line {line}: the id {row['id']!r} isn't a whole number from 1; correct it.")
        classes[int(row["id"])] = row["name"]
    return classes


def _read_rows(path: Path, needed: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Read the rows, stripped, each with its line in the file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in needed if name not in (reader.fieldnames or ())]
            if missing:
                raise DatasetError(f"{path} has no column {' and no column '.join(missing)}: add it in its first line.")
            for row in reader:
                yield (
                    reader.line_num,
                    {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)},
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} can't be read as a CSV file ({error}): save it as CSV in UTF-8.") from error
