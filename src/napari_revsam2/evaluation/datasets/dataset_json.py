"""Folders with a ``dataset.json``: Medical Segmentation Decathlon, and nnU-Net's raw data."""

from __future__ import annotations

import json
import re
import reprlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import Field

from .catalogue import DatasetError
from .dataset import Dataset, Subject
from .entries import Entries, FileName, LabelId, Name, read_text

DATASET_JSON = "dataset.json"

_FIRST_CHANNEL = "_0000"
_NO_CLASSES = ("background", "ignore")
"""Entries of nnU-Net's table of labels that are nothing to segment."""


class _Pair(Entries):
    image: FileName
    label: FileName

    def subject(self, folder: Path) -> Subject:
        image = folder / self.image
        return Subject(volume_name(image), image, folder / self.label)


class _Table(Entries):
    name: Name | None = Field(None, description="plain text of at most 300 characters")


class _DecathlonTable(_Table):
    modality: dict[Name, Name] = Field({}, description="a table of numbers and names")
    labels: dict[LabelId, Name] = Field(description="a table of ids from 0 to 65535 and names")
    training: tuple[_Pair, ...] = Field(description="a list of pairs, each with the name of an image and a label file")


class _NnUnetTable(_Table):
    channel_names: dict[Name, Name] = Field({}, description="a table of numbers and names")
    labels: dict[Name, LabelId | tuple[LabelId, ...]] = Field(description="a table of names and ids from 0 to 65535")
    file_ending: Annotated[str, Field(pattern=r"^(\.\w{1,20}){1,3}$")] = Field(description="an ending such as .nii.gz")


def open_dataset_json(folder: Path) -> Dataset:
    """Open a Decathlon task, or a dataset of nnU-Net's raw data, whose ``labelsTs`` make ``imagesTs`` the test set.

    Raises
    ------
    DatasetError
        When ``dataset.json`` is broken, says neither ``training`` nor ``file_ending``, or lists several channels or
        classes that consist of several.
    """
    path = folder / DATASET_JSON
    table = _read_table(path)
    if "file_ending" in table:
        return _open_nnunet(folder, _NnUnetTable.parse(table, str(path)))
    if "training" in table:
        return _open_decathlon(folder, _DecathlonTable.parse(table, str(path)))
    raise DatasetError(f"{path} says neither training (Decathlon) nor file_ending (nnU-Net): add what it should be.")


def volume_name(image: Path) -> str:
    """Name a volume by its file, without the ending of its format."""
    return re.sub(r"\.(nii(\.gz)?|hdr|img|tiff?)$", "", image.name, flags=re.IGNORECASE)


def _read_table(path: Path) -> Mapping[str, Any]:
    try:
        table = json.loads(read_text(path), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path} isn't JSON from line {error.lineno} on: correct it, or copy it again.") from error
    except _UnusableError as error:
        raise DatasetError(f"{path} can't be used, {error}: correct it, or copy it again.") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of brackets
        raise DatasetError(f"{path} isn't the table of a dataset: correct it, or copy it again.") from error
    if not isinstance(table, dict):
        raise DatasetError(f"{path} holds no table of the dataset: correct it, or copy it again.")
    return table


class _UnusableError(ValueError):
    """What JSON, or Python's reader of it, would let pass."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice, of which json would keep the last: a class would be lost."""
    table = dict(pairs)
    if len(table) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common()
        raise _UnusableError(f"the key {reprlib.repr(twice)} is there twice")
    return table


def _refuse_constant(text: str) -> NoReturn:
    raise _UnusableError(f"it holds {text}")


def _open_decathlon(folder: Path, table: _DecathlonTable) -> Dataset:
    _check_channels(folder, table.modality)
    classes = _classes(folder, [(name, label) for label, name in table.labels.items()])
    return Dataset(table.name or folder.name, classes, tuple(pair.subject(folder) for pair in table.training))


def _open_nnunet(folder: Path, table: _NnUnetTable) -> Dataset:
    _check_channels(folder, table.channel_names)
    return Dataset(
        table.name or folder.name,
        _classes(folder, list(table.labels.items())),
        tuple(_nnunet_subjects(folder, "Tr", table.file_ending)),
        tuple(_nnunet_subjects(folder, "Ts", table.file_ending)) if (folder / "labelsTs").is_dir() else (),
    )


def _nnunet_subjects(folder: Path, part: str, ending: str) -> Iterator[Subject]:
    """Every case that has an image or labels, so that the other is missed."""
    images, labels = folder / f"images{part}", folder / f"labels{part}"
    channel = _FIRST_CHANNEL + ending
    names = {path.name.removesuffix(channel) for path in images.glob(f"[!.]*{channel}")}
    names |= {path.name.removesuffix(ending) for path in labels.glob(f"[!.]*{ending}")}
    for name in sorted(names):
        yield Subject(name, images / (name + channel), labels / (name + ending))


def _check_channels(folder: Path, channels: Mapping[str, str]) -> None:
    if len(channels) > 1:
        raise DatasetError(
            f"{folder / DATASET_JSON} lists {len(channels)} channels ({', '.join(channels.values())}), and"
            " one is segmented: list the images of one of them in a CSV file of pairs."
        )


def _classes(folder: Path, labels: Sequence[tuple[str, int | tuple[int, ...]]]) -> dict[int, str]:
    """Read a table of names and ids; sorted by id."""
    found: dict[int, str] = {}
    for name, label in labels:
        if isinstance(label, tuple):
            raise DatasetError(
                f"{folder / DATASET_JSON} defines {name} as a region of several labels: use label files with one id a"
                " class, and a table that names it."
            )
        if label == 0 or name.lower() in _NO_CLASSES:
            continue
        if label in found:
            raise DatasetError(f"{folder / DATASET_JSON} has one id for two classes: use a different id for each.")
        found[label] = name
    return dict(sorted(found.items()))
