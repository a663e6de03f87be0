"""A subject's image and labels, cut into slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.settings.intensity_window import IntensityWindow, Limits
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files import check_same_grid, read_image, read_labels

from .dataset import Subject

Spacing = tuple[float, float, float]
"""Millimetres between slices, rows and columns."""


@dataclass(frozen=True, eq=False)
class LabelledStack:
    """Images and labels (M, H, W) of a subject, grey limits, and spacing."""

    images: NDArray[Any]
    labels: NDArray[Any]
    limits: Limits
    spacing: Spacing


@lru_cache(maxsize=4)
def read_labelled_stack(subject: Subject, axis: Axis, window: str) -> LabelledStack:
    """Read a labelled volume; the last few are kept, as jobs come in an order that needs them again.

    Raises
    ------
    VolumeFileError
        When a file can't be read, or the labels lie on another grid than their image.
    ProblemError
        When the window covers a single grey value of the volume.
    """
    image, labels = read_image(subject.image), read_labels(subject.labels)
    check_same_grid(image, labels)
    limits = IntensityWindow.parse(window).limits(image.data, subject.image)
    return LabelledStack(image.slices(axis), labels.slices(axis), limits, image.slice_spacing(axis))


@lru_cache(maxsize=4096)
def labelled_slices(subject: Subject, axis: Axis) -> Mapping[int, tuple[int, ...]]:
    """List, for each class of a volume, the slices that show it.

    Raises
    ------
    VolumeFileError
        When the labels can't be read.
    """
    stack = read_labels(subject.labels).slices(axis)
    present = [np.unique(labels) for labels in stack]
    classes = {int(label) for ids in present for label in ids} - {0}
    return {label: tuple(i for i, ids in enumerate(present) if label in ids) for label in sorted(classes)}
