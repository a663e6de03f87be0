"""A support pair cut into slices, and what is painted on them so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from napari.layers import Image, Labels

from napari_revsam2.plugin.layers.layer_slices import LayerSlices, slices_of
from napari_revsam2.plugin.layers.pairing import check_pair

VoxelsBySlice = Mapping[int, Mapping[int, int]]
"""For each painted slice, ascending, the voxels of each class."""


@dataclass(frozen=True, eq=False)
class PaintedPair:
    """A support pair, cut along one axis.

    Attributes
    ----------
    image, labels : Image, Labels
        The pair.
    axis : int
        The axis that it is cut along, counted from the last (negative).
    image_slices, slices : LayerSlices
        All slices of the image and of the labels.
    voxels : mapping of int to mapping of int to int
        For each slice that is known to be painted, ascending, the voxels of each class.
    is_known : bool
        Whether all slices have been looked at once.
    """

    image: Image
    labels: Labels
    axis: int
    image_slices: LayerSlices
    slices: LayerSlices
    voxels: VoxelsBySlice = field(default_factory=lambda: MappingProxyType({}))
    is_known: bool = False

    def checked(self, unchecked: Collection[int]) -> dict[int, tuple[int, ...]]:
        """List the painted slices that the user wants, ascending, and the classes on each."""
        return {index: tuple(found) for index, found in self.voxels.items() if index not in unchecked}


def cut_pair(image: Image, labels: Labels, axis: int, point: Sequence[int] | None = None) -> PaintedPair:
    """Cut a pair along ``axis`` (negative), of which nothing is known yet.

    ``point`` is the viewer's position in the pair's own indices; it decides on axes such as time.

    Raises
    ------
    ProblemError
        When the labels don't lie on the image, or the layers have no slices along that axis.
    """
    check_pair(image, labels)
    image_slices = slices_of(image, axis, point)
    return PaintedPair(image, labels, axis, image_slices, image_slices.of(labels))
