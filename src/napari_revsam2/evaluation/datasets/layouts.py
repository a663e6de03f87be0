"""A dataset from a folder or file, in whatever usual layout it lies; ``docs/datasets.md`` shows them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files import read_labels

from .bids import holds_bids, open_bids
from .catalogue import SUBJECT, DatasetError, Description, describe
from .dataset import Dataset, Subject
from .dataset_csv import open_dataset_csv
from .dataset_json import DATASET_JSON, open_dataset_json

_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Signs that would cut a row of the results in two, and bytes of file names that no text file takes."""


def open_dataset(
    path: Path, description: str | None = None, window: str | None = None, axis: Axis | None = None
) -> Dataset:
    """Open a dataset, and check that its files are there; images stay unread.

    Parameters
    ----------
    path : Path
        A folder of the Medical Segmentation Decathlon or nnU-Net (with ``dataset.json``), of BIDS derivatives
        (``*_dseg.nii.gz``), or as the described dataset is published; or a CSV file of pairs.
    description : str, optional
        Name of a `Description`, whose name, classes, window and split then apply.
    window : str, optional
        Grey values the model sees; by default the description's, or that of `RevSAM2Config`.
    axis : Axis, optional
        The body axis to cut along; by default axial.

    Returns
    -------
    Dataset
        Where neither layout nor description names the classes, they are those in the label files, which are read.

    Raises
    ------
    DatasetError
        When nothing is recognised, a file is missing or broken, two subjects or two classes have one name, a name
        isn't plain text, there is no class, a volume to be segmented by the description's split isn't there, or the
        description isn't known.
    VolumeFileError
        When labels must be read for their classes, and can't be.
    """
    path = path.absolute()  # a Dask worker may have been started in another folder, and ``.`` has no name
    described = describe(description) if description else None
    found = _find(path, described)
    subjects = found.training + found.test
    _check_names((found.name, *found.classes.values(), *(subject.name for subject in subjects)), path)
    _check_subjects(found, path)
    if described:
        found = _apply(described, found, path)
    classes = dict(found.classes or _painted_classes(found))
    name, times = Counter(classes.values()).most_common(1)[0] if classes else ("", 0)
    if times > 1:
        raise DatasetError(f"{path} calls {times} classes {name}: use a different name for each.")
    if not classes:
        raise DatasetError(f"{path} has no class to segment: name one, and use label files that show it.")
    return replace(
        found,
        classes=classes,
        window=window or (described.window if described else RevSAM2Config().window),
        axis=axis or Axis.AXIAL,
    )


def _find(path: Path, described: Description | None) -> Dataset:
    """Recognise the layout; names and paths come unchecked."""
    if not _exists(path):
        raise DatasetError(f"{path} doesn't exist: check its name and folder.")
    if path.suffix.lower() == ".csv":
        return open_dataset_csv(path)
    if path.name == DATASET_JSON:
        path = path.parent
    if (path / DATASET_JSON).is_file():
        return open_dataset_json(path)
    if described and (subjects := tuple(_published_subjects(path, described))):
        return Dataset(described.name, described.classes, subjects)
    if holds_bids(path):
        return open_bids(path)
    published = f", {described.images} and {described.labels}" if described else ""
    raise DatasetError(
        f"{path} isn't a dataset: choose a CSV file of pairs, or a folder with {DATASET_JSON} (Decathlon, nnU-Net),"
        f" *_dseg.nii.gz (BIDS){published}."
    )


def _published_subjects(folder: Path, described: Description) -> Iterator[Subject]:
    """Subjects that lie as the dataset is published."""
    start, end = described.images.split(SUBJECT)
    for image in sorted(folder.glob(f"{start}*{end}")):
        name = image.relative_to(folder).as_posix()[len(start) : -len(end)]
        yield Subject(name, image, folder / described.labels.replace(SUBJECT, name))


def _check_subjects(dataset: Dataset, path: Path) -> None:
    subjects = dataset.training + dataset.test
    if not subjects:
        raise DatasetError(f"{path} names no labelled volume: choose a dataset with images and their labels.")
    name, times = Counter(subject.name for subject in subjects).most_common(1)[0]
    if times > 1:
        raise DatasetError(f"{path} has {times} volumes named {name}: use a different name for each.")
    for subject in subjects:
        if not _exists(subject.image):
            raise DatasetError(f"{subject.image}, the image of {subject.name}, doesn't exist: put it there.")
        if not _exists(subject.labels):
            raise DatasetError(f"{subject.labels}, the labels of {subject.name}, don't exist: put them there.")


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - takes a name that is too long for the system, or a closed folder


def _check_names(names: Iterable[str], path: Path) -> None:
    for name in names:
        if _NO_TEXT.search(name):
            raise DatasetError(
                f"{path} has the name {name!r}, which a table of results can't hold: rename what it names."
            )


def _apply(described: Description, found: Dataset, path: Path) -> Dataset:
    """Give a dataset the name, classes and split of its description."""
    named = replace(found, name=described.name, classes=described.classes)
    if not described.test:
        return named
    subjects = _by_number(found.training + found.test, path)
    training, test = _chosen(subjects, described.training), _chosen(subjects, described.test)
    missing = sorted(set(described.test) - test.keys())
    if missing:
        raise DatasetError(
            f"{path} lacks {', '.join(missing)} of the volumes that {described.name} is tested on: add them, or define"
            " another split in a CSV file of pairs, without a description."
        )
    if not training:
        raise DatasetError(
            f"{path} has no training volume of {described.name}, such as {described.training[0]}: add them."
        )
    return replace(named, training=tuple(training.values()), test=tuple(test.values()))


def _by_number(subjects: Iterable[Subject], path: Path) -> Mapping[int, Subject]:
    """Subjects by the number at the end of their names, as a split calls them: 0023, img0023 and BTCV_23 are one."""
    numbered: dict[int, Subject] = {}
    for subject in subjects:
        number = _number(subject.name)
        if number in numbered:
            raise DatasetError(
                f"{path} has {numbered[number].name} and {subject.name}, which the split can't tell apart: number the"
                " volumes as they are published."
            )
        if number is not None:
            numbered[number] = subject
    return numbered


def _chosen(numbered: Mapping[int, Subject], names: Iterable[str]) -> Mapping[str, Subject]:
    return {name: numbered[int(name)] for name in names if int(name) in numbered}


def _number(name: str) -> int | None:
    digits = re.search(r"\d+$", name)
    return int(digits[0]) if digits else None


def _painted_classes(dataset: Dataset) -> dict[int, str]:
    ids = {
        int(label)
        for subject in dataset.training + dataset.test
        for label in np.unique(read_labels(subject.labels).data)
    }
    return {label: f"class {label}" for label in sorted(ids - {0})}
