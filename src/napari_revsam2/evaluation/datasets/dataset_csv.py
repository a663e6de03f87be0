"""A CSV file of images and their labels, for data that lie in no usual layout or are to be split otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .catalogue import DatasetError
from .dataset import Dataset, Subject
from .dataset_json import volume_name
from .entries import Entries, FileName, LabelId, Name
from .table_file import read_table

CLASSES_FILE = "classes.csv"

_Split = Annotated[
    Literal["training", "test"],
    BeforeValidator(lambda text: text.strip().lower() or "training"),
    Field(description="training or test"),
]


class _Pair(Entries):
    image: FileName = Field(description="the name of a file")
    labels: FileName = Field(description="the name of a file")
    name: Name = Field("", description="plain text of at most 300 characters")
    split: _Split = "training"

    def subject(self, folder: Path) -> Subject:
        return Subject(self.name or volume_name(Path(self.image)), folder / self.image, folder / self.labels)


class _Class(Entries):
    id: Annotated[LabelId, Field(ge=1)] = Field(description="a whole number from 1 to 65535")
    name: Name = Field(description="plain text of at most 300 characters")


def open_dataset_csv(path: Path) -> Dataset:
    """Open a CSV file with the columns ``image`` and ``labels``, and if wanted ``name`` and ``split``.

    Paths are relative to the file; ``split`` is ``training`` (also when empty) or ``test``. Classes are named by
    ``classes.csv`` beside it, with the columns ``id`` and ``name``; without it they are left empty.

    Raises
    ------
    DatasetError
        When one of the files can't be read, lacks a column or a value, or has another split, an id that is no whole
        number from 1, or an id twice.
    """
    pairs = [pair for _, pair in read_table(path, _Pair)]
    training, test = (
        tuple(pair.subject(path.parent) for pair in pairs if pair.split == part) for part in ("training", "test")
    )
    return Dataset(path.stem, _read_classes(path.with_name(CLASSES_FILE)), training, test)


def _read_classes(path: Path) -> dict[int, str]:
    classes: dict[int, str] = {}
    for where, row in read_table(path, _Class) if path.exists() else ():
        if row.id in classes:
            raise DatasetError(f"{where}: the id {row.id} is there twice; use a different id for each class.")
        classes[row.id] = row.name
    return classes
