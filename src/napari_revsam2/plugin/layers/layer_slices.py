"""A layer's data as a stack of slices along one of its axes, read one slice at a time.

Slices of a layer that the reader added are those of `napari_revsam2.volume_files.Volume.slices`: their numbers, rows
and columns may run against the axes of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.volume_files import runs_backwards

from .metadata import BODY_AXES

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of red, green and blue (ITU-R BT.709)."""


@dataclass(frozen=True, eq=False)
class LayerSlices:
    """Slices of a layer; a `napari_revsam2.engine.problem.SliceStack`.

    Attributes
    ----------
    data : array
        The layer's data at full resolution: numpy, dask, zarr or anything that indexes alike. An RGB image has its
        colours last, as in napari.
    axis : int
        The axis to slice along, counted from the front.
    point : tuple of int
        An index for each axis (colours not counted); it decides on axes that are neither sliced nor in the slice's
        plane, such as time. The plane is the last two axes that are left when ``axis`` is taken away.
    start, stop : int
        Range of slice numbers, ``stop`` excluded.
    rgb : bool
        Whether colours are turned to luminance.
    backwards : tuple of int
        The axes along which slices, rows or columns run against the data.
    """

    data: Any
    axis: int
    point: tuple[int, ...]
    start: int
    stop: int
    rgb: bool = False
    backwards: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Count the slices."""
        return self.stop - self.start

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Read slice ``index`` of the range: (H, W).

        Raises
        ------
        ProblemError
            When it has NaN or infinite voxels, which would spoil all slices that remember it.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        plane = np.asarray(self.plane_of(self.data, index))
        if plane.dtype.kind == "f" and not np.isfinite(plane).all():
            raise ProblemError(
                f"Slice {self.start + index} has NaN or infinite voxels: replace them and try again, or leave it out."
            )
        return plane[..., :3] @ LUMINANCE if self.rgb else plane

    @property
    def ndim(self) -> int:
        """Count the axes, colours not among them."""
        return len(self.point)

    @property
    def plane(self) -> tuple[int, int]:
        """The axes of rows and columns."""
        first, second = [axis for axis in range(self.ndim) if axis != self.axis][-2:]
        return first, second

    @property
    def fixed_axes(self) -> tuple[int, ...]:
        """The axes on which ``point`` decides."""
        return tuple(axis for axis in range(self.ndim) if axis != self.axis and axis not in self.plane)

    @property
    def slice_shape(self) -> tuple[int, int]:
        """Height and width, without reading anything."""
        rows, columns = self.plane
        return int(self.data.shape[rows]), int(self.data.shape[columns])

    def where(self, index: int, fixed: Sequence[int] | None = None) -> tuple[int | slice, ...]:
        """Index that takes slice ``index`` of the range out of ``data``, rows and columns as they lie there.

        ``fixed`` replaces ``point``: all zeros for an array whose fixed axes are of length 1.
        """
        place: list[int | slice] = list(self.point if fixed is None else fixed)
        place[self.axis] = self.position_of(self.start + index)
        for axis in self.plane:
            place[axis] = slice(None)
        return tuple(place)

    def plane_of(self, array: Any, index: int, fixed: Sequence[int] | None = None) -> Any:
        """View slice ``index`` of the range, (H, W), of an array that has the data's axes; ``fixed`` as in `where`."""
        rows, columns = (-1 if axis in self.backwards else 1 for axis in self.plane)
        return array[self.where(index, fixed)][::rows, ::columns]

    def position_of(self, number: int) -> int:
        """Find the index along the sliced axis of the data at which a slice, numbered in the whole layer, lies."""
        return int(self.data.shape[self.axis]) - 1 - number if self.axis in self.backwards else number

    def number_of(self, position: int) -> int:
        """Find the number, in the whole layer, of the slice at an index along the sliced axis of the data."""
        return self.position_of(position)  # the turn is its own inverse

    def numbers_in(self, where: Sequence[Any]) -> list[int]:
        """List the numbers, in the whole layer, of the slices that an index into the data touches; ascending."""
        positions = np.atleast_1d(np.arange(self.data.shape[self.axis])[where[self.axis]])
        return sorted({self.number_of(int(position)) for position in positions.ravel()})

    def of(self, layer: Image | Labels) -> LayerSlices:
        """Cut another layer on the same voxels alike, whatever it says of its own axes."""
        return replace(self, data=full_resolution(layer), rgb=False)


def slices_of(
    layer: Image | Labels, axis: int, point: Sequence[int] | None = None, span: tuple[int, int] | None = None
) -> LayerSlices:
    """Cut a layer along ``axis`` (negative: counted from the last).

    Parameters
    ----------
    layer : Image or Labels
        The layer; of a multiscale one the full resolution.
    axis : int
        The axis to slice along.
    point : sequence of int, optional
        The viewer's position in the layer's own indices; the start of each axis by default.
    span : (int, int), optional
        Number of the first slice and of the one after the last; all by default.

    Raises
    ------
    ProblemError
        When the layer has fewer than three axes, no such axis or no slice in ``span``.
    """
    data = full_resolution(layer)
    ndim = int(layer.ndim)
    if ndim < 3:
        raise ProblemError(f"The layer {layer.name!r} is a single image: RevSAM2 needs a stack of slices.")
    if not -ndim <= axis < ndim:
        raise ProblemError(f"The layer {layer.name!r} has no axis {axis}: it has {ndim} axes.")
    axis %= ndim
    start, stop = span if span is not None else (0, data.shape[axis])
    if not 0 <= start < stop <= data.shape[axis]:
        raise ProblemError(
            f"The layer {layer.name!r} has slices 0 to {data.shape[axis] - 1}: the range {start} to {stop - 1} isn't "
            "within them."
        )
    place = tuple(int(p) for p in point) if point is not None else (0,) * ndim
    return LayerSlices(data, axis, place, start, stop, bool(getattr(layer, "rgb", False)), backwards_axes(layer, axis))


def full_resolution(layer: Image | Labels) -> Any:
    """Return a layer's data; of a multiscale one the finest."""
    return layer.data[0] if layer.multiscale else layer.data


def backwards_axes(layer: Image | Labels, axis: int) -> tuple[int, ...]:
    """Find the axes that run against the slices cut along ``axis`` (all from the front).

    There are none where the layer's axis labels aren't those that the reader chooses.
    """
    first = int(layer.ndim) - len(BODY_AXES)
    if axis < first or tuple(layer.axis_labels[first:]) != BODY_AXES:
        return ()
    turned = runs_backwards(Axis(BODY_AXES[axis - first]))
    return tuple(first + place for place, is_turned in enumerate(turned) if is_turned)
