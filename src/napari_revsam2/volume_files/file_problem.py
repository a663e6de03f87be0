"""Supports and query from files, checked before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice, stack_supports
from napari_revsam2.settings.intensity_window import IntensityWindow, Limits
from napari_revsam2.settings.window import WindowSettings
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from napari_revsam2.vocabulary.names import member

from . import Volume, check_same_grid, from_slices, read_image, read_labels, write_labels

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class FileProblem:
    """Painted slices and a query volume out of files.

    Attributes
    ----------
    supports : SupportSet
        Every painted slice on offer.
    query : QueryVolume
        The query's slices along ``axis``.
    volume : Volume
        The query as read, for its grid.
    axis : Axis
        The body axis all volumes are cut along.
    """

    supports: SupportSet
    query: QueryVolume
    volume: Volume
    axis: Axis

    def read_truth(self, path: PathLike) -> NDArray[Any]:
        """Read labels of the query, (M, H, W).

        Raises
        ------
        VolumeFileError
            When they can't be read or lie on another grid.
        """
        truth = read_labels(path)
        check_same_grid(self.volume, truth)
        return truth.slices(self.axis)

    def write(self, path: PathLike, segmentation: NDArray[Any]) -> None:
        """Write a segmentation (M, H, W) on the query's own grid.

        Raises
        ------
        VolumeFileError
            When the file can't be written.
        """
        write_labels(path, from_slices(segmentation, self.axis), like=self.volume)


def open_problem(
    supports: Sequence[tuple[PathLike, PathLike]],
    query: PathLike,
    config: WindowSettings,
    axis: Axis | str = Axis.AXIAL,
    slices: Sequence[Sequence[int]] | None = None,
    labels: Sequence[int] | None = None,
) -> FileProblem:
    """Read supports and query, and check that they make a problem.

    Parameters
    ----------
    supports : sequence of (path, path)
        Image and labels of each support volume.
    query : path
        Image to segment.
    config : WindowSettings
        Its window is applied to all volumes.
    axis : Axis or str
        The body axis to cut along.
    slices : sequence of sequence of int, optional
        For each support volume the painted slices to use, counted towards superior, anterior or right; by default all
        that are painted.
    labels : sequence of int, optional
        Classes to keep; by default all that are painted.

    Raises
    ------
    VolumeFileError
        When a file can't be read, or labels lie on another grid than their image.
    ProblemError
        When a volume is constant, nothing is painted, a class isn't there, a slice isn't painted, or the axis isn't
        known.
    """
    axis = member(Axis, axis, "Axis")
    if slices is not None and len(slices) != len(supports):
        raise ProblemError(
            f"Slices are listed for {len(slices)} of {len(supports)} support volumes: list them for each."
        )
    window = IntensityWindow.parse(config.window)
    painted: list[SupportSlice] = []
    for number, (image_path, labels_path) in enumerate(supports):
        image, annotation = read_image(image_path), read_labels(labels_path)
        check_same_grid(image, annotation)
        if not annotation.data.any():
            raise VolumeFileError(f"{labels_path} has no labelled slice: paint at least one.")
        indices = slices[number] if slices is not None else None
        stacks = image.slices(axis), annotation.slices(axis)
        try:
            painted += stack_supports(*stacks, _limits(image, window), number, indices)
        except ProblemError as error:
            raise ProblemError(f"{labels_path}: {error}") from error
    offered = SupportSet(tuple(painted))
    for label in labels or ():
        if label not in offered.labels:
            raise ProblemError(
                f"Class {label} isn't painted on the support slices of {_listed([path for _, path in supports])}: "
                f"choose one that is ({_listed(offered.labels)})."
            )
    volume = read_image(query)
    return FileProblem(offered, QueryVolume(volume.slices(axis), _limits(volume, window)), volume, axis)


def _limits(volume: Volume, window: IntensityWindow) -> Limits:
    if volume.data.min() == volume.data.max():
        raise ProblemError(f"{volume.path} is a constant image ({volume.data.min():g} everywhere): use another one.")
    return window.limits(volume.data, volume.path)


def _listed(items: Sequence[object]) -> str:
    return ", ".join(map(str, items))
