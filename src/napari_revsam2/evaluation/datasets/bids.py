"""BIDS: segmentations (``*_dseg.nii.gz``), mostly derivatives, and the images they were drawn on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field

from .catalogue import DatasetError
from .dataset import Dataset, Subject
from .entries import Entries, LabelId, Name
from .table_file import read_table

_ENDING = ".nii.gz"
_LABELS = f"_dseg{_ENDING}"
_NO_IMAGES = ("dseg", "mask", "probseg")
_OF_LABELS = ("atlas", "desc", "label", "seg")
"""Entities that tell one derivative from another, and not what was scanned."""


class _Class(Entries):
    index: LabelId = Field(description="a whole number from 0 to 65535")
    name: Name = Field(min_length=1, description="plain text of 1 to 300 characters")


def holds_bids(folder: Path) -> bool:
    """Tell whether there is any segmentation of BIDS in a folder."""
    return folder.is_dir() and next(_visible(folder, f"*{_LABELS}"), None) is not None


def open_bids(folder: Path) -> Dataset:
    """Open the segmentations of a BIDS dataset or of its derivatives; classes are from ``dseg.tsv`` if there is one.

    The image is the one beside the segmentation with the same entities (leaving ``desc`` and the like aside), or else
    the one elsewhere in the folder.

    Raises
    ------
    DatasetError
        When a segmentation has no image or several, or the tables of classes are broken or contradict each other.
    """
    images = [path for path in _visible(folder, f"sub-*{_ENDING}") if _suffix(path) not in _NO_IMAGES]
    subjects = tuple(_subject(labels, images) for labels in _visible(folder, f"sub-*{_LABELS}"))
    return Dataset(folder.name, _read_classes(folder), subjects)


def _visible(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob(pattern)) if not path.name.startswith("."))


def _suffix(path: Path) -> str:
    return path.name.removesuffix(_ENDING).rpartition("_")[2]


def _entities(path: Path) -> tuple[str, ...]:
    """Say what was scanned: ``sub-01``, ``ses-2`` and so on, in the order of the name."""
    entities = path.name.removesuffix(_ENDING).split("_")[:-1]
    return tuple(entity for entity in entities if entity.partition("-")[0] not in _OF_LABELS and entity != "space-orig")


def _subject(labels: Path, images: Iterable[Path]) -> Subject:
    fitting = [image for image in images if _entities(image) == _entities(labels)]
    fitting = [image for image in fitting if image.parent == labels.parent] or fitting
    if len(fitting) != 1:
        known = f"{len(fitting)} images ({', '.join(image.name for image in fitting)})" if fitting else "no image"
        raise DatasetError(
            f"{labels} has {known} of the same name: choose a folder that holds both, or a CSV file of pairs."
        )
    return Subject("_".join(_entities(labels)), fitting[0], labels)


def _read_classes(folder: Path) -> dict[int, str]:
    classes: dict[int, str] = {}
    for path in _visible(folder, "*dseg.tsv"):
        for where, row in read_table(path, _Class, delimiter="\t"):
            if classes.setdefault(row.index, row.name) != row.name:
                earlier = classes[row.index]
                raise DatasetError(
                    f"{where}, calls class {row.index} {row.name}, and an earlier row {earlier}: correct one."
                )
    return {label: classes[label] for label in sorted(classes) if label != 0}
