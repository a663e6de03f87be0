"""A volume in canonical orientation, its slices, and what is known of the grid of its file.

Canonical means RAS+, as nibabel says it: the first array axis runs (closest) towards the patient's Right, the second
towards Anterior, the third towards Superior; world coordinates are in mm. All volumes are brought there before they
are sliced, so that supports and query agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError

Voxels = NDArray[Any]
Affine = NDArray[np.float64]
Orientation = NDArray[np.float64]
"""(3, 2), as `nibabel.orientations` has it: for each axis of an array the canonical one, and 1 or -1 against it."""

_GRID_TOLERANCE = 0.01
"""Grids are the same when no voxel moves by more than this part of a voxel: room for rounding in headers."""


class GridDetail(IntEnum):
    """How much of its voxels' place a file holds; each kind includes the ones before."""

    SHAPE = 0
    SPACING = 1
    WORLD = 2


_CANONICAL = axcodes2ornt("RAS")
_STACKED = {Axis.AXIAL: "SPL", Axis.CORONAL: "AIL", Axis.SAGITTAL: "RIP"}
"""Where slices, rows and columns (M, H, W) of a stack run to; rows and columns as radiologists look at them."""


@dataclass(frozen=True, eq=False)
class FileGrid:
    """The grid of the file that a volume came from, enough to write a result back on it.

    Readers extend it with what their format carries besides (a header, a unit).

    Parameters
    ----------
    shape
        Shape of the three spatial axes as they lie in the file.
    affine
        (4, 4), from the file's indices to world coordinates in mm.
    orientation
        (3, 2), how the file's axes run.
    detail
        How much of ``affine`` the file really holds.
    """

    shape: tuple[int, ...]
    affine: Affine
    orientation: Orientation
    detail: GridDetail


@dataclass(frozen=True, eq=False)
class Volume:
    """An image or a label map in canonical orientation.

    Parameters
    ----------
    data
        (X, Y, Z) in closest canonical orientation RAS+; often a view of the array as it lay in the file.
    affine
        (4, 4) float64, from indices of ``data`` to world coordinates in mm.
    path
        The file it came from, for messages.
    grid
        The file's own grid; :func:`~napari_revsam2.volume_files.write_labels` writes on it.
    """

    data: Voxels
    affine: Affine
    path: Path
    grid: FileGrid

    @classmethod
    def from_file_axes(cls, voxels: Voxels, path: Path, grid: FileGrid) -> Volume:
        """Turn ``voxels`` (3-D, axes as in the file) to canonical orientation."""
        affine = grid.affine @ inv_ornt_aff(grid.orientation, grid.shape)
        return cls(apply_orientation(voxels, grid.orientation), affine, path, grid)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm between neighbouring voxels along X, Y and Z."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    def slice_spacing(self, axis: Axis) -> tuple[float, float, float]:
        """Distance in mm between the slices along ``axis``, between their rows, and between their columns."""
        slices, rows, columns = (self.spacing[int(place)] for place in axcodes2ornt(_STACKED[Axis(axis)])[:, 0])
        return slices, rows, columns

    def slices(self, axis: Axis) -> Voxels:
        """View the volume as a stack of slices in radiological display convention.

        Parameters
        ----------
        axis
            ``AXIAL``: slices towards Superior, rows anterior to posterior, columns right to left (the patient's
            right is on the left). ``CORONAL``: slices towards Anterior, rows superior to inferior, columns right to
            left. ``SAGITTAL``: slices towards Right, rows superior to inferior, columns anterior to posterior.

        Returns
        -------
        NDArray
            (M, H, W), a view with negative strides: copy it (``np.ascontiguousarray``) before torch gets it.
        """
        return reoriented(self.data, axcodes2ornt(_STACKED[Axis(axis)]))


def reoriented(canonical: Voxels, orientation: Orientation) -> Voxels:
    """View voxels (X, Y, Z) in RAS+ with axes that run as ``orientation`` says."""
    voxels: Voxels = apply_orientation(canonical, ornt_transform(_CANONICAL, orientation))
    return voxels


def from_slices(stack: Voxels, axis: Axis) -> Voxels:
    """View a stack of slices as the volume they were cut from: the inverse of :meth:`Volume.slices`.

    Parameters
    ----------
    stack
        (M, H, W).
    axis
        The axis that it was cut along.

    Returns
    -------
    NDArray
        (X, Y, Z) in canonical orientation.
    """
    volume: Voxels = apply_orientation(stack, axcodes2ornt(_STACKED[Axis(axis)]))
    return volume


def runs_backwards(axis: Axis) -> tuple[bool, bool, bool]:
    """Whether slices, rows and columns of an axial stack run against those of the stack cut along ``axis``.

    Whoever holds the axial stack alone cuts it, with this, into the slices that :meth:`Volume.slices` has: the same
    numbers, the same rows and columns.

    Parameters
    ----------
    axis
        The axis to cut along.
    """
    slices, rows, columns = (direction not in _STACKED[axis] for direction in _STACKED[Axis.AXIAL])
    return slices, rows, columns


def new_volume(voxels: Voxels, affine: Affine, path: Path) -> Volume:
    """Make a volume that doesn't come from a file, from voxels (X, Y, Z) in RAS+ and their affine (4, 4) to mm."""
    return Volume(voxels, affine, path, FileGrid(voxels.shape, affine, _CANONICAL, GridDetail.WORLD))


def check_same_grid(image: Volume, labels: Volume) -> None:
    """Refuse labels that don't lie on the voxels of their image.

    What both files tell is compared: shape always; voxel positions when both are NIfTI; voxel size when one is a TIFF
    (it has no world coordinates) and both tell it. Orientation in the file may differ: canonical grids are compared.

    Raises
    ------
    VolumeFileError
        If they differ by more than rounding (a hundredth of a voxel); the text names both files.
    """
    difference = _grid_difference(image, labels)
    if difference:
        raise VolumeFileError(
            f"{image.path} and its labels {labels.path} don't lie on the same grid ({difference}): use labels drawn"
            " on this image, or resample them to it."
        )


def _grid_difference(image: Volume, labels: Volume) -> str:
    """Say how two grids differ; empty if they don't."""
    if image.data.shape != labels.data.shape:
        return f"{_by(image.data.shape)} and {_by(labels.data.shape)} voxels"
    detail = min(image.grid.detail, labels.grid.detail)
    if detail == GridDetail.WORLD:
        shift = _largest_shift(image.affine, labels.affine, image.data.shape)
        return f"voxels lie up to {shift:.3g} mm apart" if shift > _GRID_TOLERANCE * min(image.spacing) else ""
    if detail == GridDetail.SPACING and not np.allclose(image.spacing, labels.spacing, rtol=_GRID_TOLERANCE, atol=0):
        return f"voxels of {_by(image.spacing)} mm and {_by(labels.spacing)} mm"
    return ""


def _largest_shift(first: Affine, second: Affine, shape: Sequence[int]) -> float:
    """Distance in mm between the two places of a voxel where it is largest: in a corner of the grid."""
    corners = np.array([(*corner, 1) for corner in product(*[(0, size - 1) for size in shape])])  # (8, 4)
    return float(np.linalg.norm((corners @ (first - second).T)[:, :3], axis=1).max())


def _by(sizes: Sequence[float]) -> str:
    return " x ".join(f"{size:.6g}" for size in sizes)
