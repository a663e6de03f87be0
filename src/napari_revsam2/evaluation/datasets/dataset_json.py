"""Folders with a ``dataset.json``: Medical Segmentation Decathlon, and nnU-Net's raw data."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .catalogue import DatasetError
from .dataset import Dataset, Subject

DATASET_JSON = "dataset.json"

_FIRST_CHANNEL = "_0000"
_NO_CLASSES = ("background", "ignore")
"""Entries of nnU-Net's table of labels that are nothing to segment."""


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
    try:
        if "file_ending" in table:
            return _open_nnunet(folder, table)
        if "training" in table:
            return _open_decathlon(folder, table)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path} isn't as the Decathlon or nnU-Net have it ({type(error).__name__}: {error}): correct it."
        ) from error
    raise DatasetError(f"{path} says neither training (Decathlon) nor file_ending (nnU-Net): add what it should be.")


def volume_name(image: Path) -> str:
    """Name a volume by its file, without the ending of its format."""
    return re.sub(r"\.(nii(\.gz)?|hdr|img|tiff?)$", "", image.name, flags=re.IGNORECASE)


def _read_table(path: Path) -> Mapping[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_unique_keys)
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} can't be read as JSON ({error}): correct it, or copy it again.") from error
    if not isinstance(table, dict):
        raise DatasetError(f"{path} holds no table of the dataset: correct it, or copy it again.")
    return table


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is there twice, of which json would keep the last: a class would be lost."""
    table = dict(pairs)
    if len(table) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common()
        raise ValueError(f'"{twice}" is there twice')
    return table


def _open_decathlon(folder: Path, table: Mapping[str, Any]) -> Dataset:
    _check_channels(folder, table.get("modality", {}))
    classes = _classes(folder, [(name, label) for label, name in table["labels"].items()])
    return Dataset(
        str(table.get("name") or folder.name), classes, tuple(_decathlon_subjects(folder, table["training"]))
    )


def _decathlon_subjects(folder: Path, entries: Iterable[Mapping[str, str]]) -> Iterator[Subject]:
    for entry in entries:
        image = folder / entry["image"]
        yield Subject(volume_name(image), image, folder / entry["label"])


def _open_nnunet(folder: Path, table: Mapping[str, Any]) -> Dataset:
    _check_channels(folder, table.get("channel_names", {}))
    ending = str(table["file_ending"])
    return Dataset(
        str(table.get("name") or folder.name),
        _classes(folder, list(table["labels"].items())),
        tuple(_nnunet_subjects(folder, "Tr", ending)),
        tuple(_nnunet_subjects(folder, "Ts", ending)) if (folder / "labelsTs").is_dir() else (),
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
            f"{folder / DATASET_JSON} lists {len(channels)} channels ({', '.join(map(str, channels.values()))}), and"
            " one is segmented: list the images of one of them in a CSV file of pairs."
        )


def _classes(folder: Path, labels: Sequence[tuple[str, Any]]) -> dict[int, str]:
    """Read a table of names and ids; sorted by id."""
    for name, label in labels:
        if isinstance(label, list):
            raise DatasetError(
                f"{folder / DATASET_JSON} defines {name} as a region of several labels: use label files with one id a"
                " class, and a table that names it."
            )
    found = sorted((int(label), name) for name, label in labels if _is_class(name, label))
    if len(dict(found)) < len(found):
        raise DatasetError(f"{folder / DATASET_JSON} has one id for two classes: use a different id for each.")
    return dict(found)


def _is_class(name: str, label: Any) -> bool:
    return name.lower() not in _NO_CLASSES and int(label) != 0
