"""Supports, query and truth of a work, out of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.evaluation.datasets.dataset import Subject
from napari_revsam2.settings.intensity_window import IntensityWindow, Limits
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files import check_same_grid, read_image, read_labels

from .measures import Spacing
from .protocol import SupportChoice


@dataclass(frozen=True)
class Case:
    """One class of one query volume, with its supports.

    Attributes
    ----------
    label : int
        The class.
    supports : tuple of SupportSlice
        Painted slices in the order drawn.
    query : QueryVolume
        M slices (H, W).
    truth : ndarray
        (M, H, W) of bool.
    spacing : (float, float, float)
        Millimetres between slices, rows and columns of the query.
    """

    label: int
    supports: tuple[SupportSlice, ...]
    query: QueryVolume
    truth: NDArray[np.bool_]
    spacing: Spacing


@dataclass(frozen=True, eq=False)
class Stack:
    """A labelled volume cut into slices: images and labels (M, H, W), grey limits, and spacing in millimetres."""

    images: NDArray[Any]
    labels: NDArray[Any]
    limits: Limits
    spacing: Spacing


def open_case(
    label: int,
    choices: Sequence[SupportChoice],
    query: Subject,
    axis: Axis,
    window: str,
    support_label: int | None = None,
    support_window: str | None = None,
) -> Case:
    """Read what a case needs; the supports' files may have another id for the class, and another window.

    Raises
    ------
    VolumeFileError
        When a file can't be read, or labels lie on another grid than their image.
    ProblemError
        When the window covers a single grey value of a volume.
    """
    asked = open_stack(query, axis, window)
    truth = np.asarray(asked.labels == label)
    return Case(
        label,
        tuple(_supports(choices, axis, support_window or window, label, support_label or label)),
        QueryVolume(asked.images, asked.limits),
        truth,
        asked.spacing,
    )


@lru_cache(maxsize=4)
def open_stack(subject: Subject, axis: Axis, window: str) -> Stack:
    """Read a labelled volume; the last few are kept, as works come in an order that meets them again."""
    image, labels = read_image(subject.image), read_labels(subject.labels)
    check_same_grid(image, labels)
    x, y, z = image.spacing
    along = {Axis.AXIAL: (z, y, x), Axis.CORONAL: (y, z, x), Axis.SAGITTAL: (x, z, y)}
    limits = IntensityWindow.parse(window).limits(image.data, subject.image)
    return Stack(image.slices(axis), labels.slices(axis), limits, along[axis])


def _supports(
    choices: Sequence[SupportChoice], axis: Axis, window: str, label: int, support_label: int
) -> Iterator[SupportSlice]:
    """Painted slices that show the class alone, under the query's id."""
    subjects = list(dict.fromkeys(choice.subject for choice in choices))
    for choice in choices:
        volume = open_stack(choice.subject, axis, window)
        number = subjects.index(choice.subject)
        labels = np.where(volume.labels[choice.index] == support_label, label, 0)
        yield SupportSlice(volume.images[choice.index], labels, volume.limits, number, choice.index)
