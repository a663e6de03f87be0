"""The only code that adds or changes layers in a run: the result, filled slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from napari.components import LayerList
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_revsam2.engine.propagator import Mask
from napari_revsam2.plugin.layers.layer_slices import LayerSlices
from napari_revsam2.plugin.layers.metadata import PROVENANCE, VOLUME


class ResultLayer:
    """The Labels layer that a run fills; pinned to the layer object, whatever happens to its name or place.

    Parameters
    ----------
    layer : Labels
        The layer.
    slices : LayerSlices
        How the query is cut; the layer has its axes, those that are fixed with length 1.
    """

    def __init__(self, layer: Labels, slices: LayerSlices) -> None:
        self.layer = layer
        self.slices = slices
        self._shape = layer.data.shape
        self._dirty = False

    @classmethod
    def added_to(cls, layers: LayerList, query_layer: Image, slices: LayerSlices, largest_label: int) -> ResultLayer:
        """Add an empty one above all, with the transforms of the query layer."""
        shape = [int(size) for size in slices.data.shape[: slices.ndim]]
        for axis in slices.fixed_axes:
            shape[axis] = 1
        data = np.zeros(shape, np.min_scalar_type(max(largest_label, 255)))
        layer = Labels(data, name=f"{query_layer.name} revsam2", **_transforms(query_layer, slices))
        if VOLUME in query_layer.metadata:
            layer.metadata[VOLUME] = query_layer.metadata[VOLUME]
        layers.append(layer)
        return cls(layer, slices)

    @property
    def fits(self) -> bool:
        """Whether the layer's data still has the query's shape; a script may give it other data."""
        return bool(self.layer.data.shape == self._shape)

    def plane(self, index: int) -> NDArray[Any]:
        """View slice ``index`` of the query, (H, W) class ids."""
        plane: NDArray[Any] = self.slices.plane_of(self.layer.data, index, fixed=(0,) * self.slices.ndim)
        return plane

    def segmentation(self) -> NDArray[Any]:
        """Copy what the layer shows of the query's slices, (M, H, W) class ids."""
        return np.stack([self.plane(index) for index in range(len(self.slices))])

    def masks(self, label: int, indices: tuple[int, ...]) -> dict[int, Mask]:
        """Copy the masks (H, W) of a class on the given slices, by query index."""
        return {index: self.plane(index) == label for index in indices}

    def write_mask(self, index: int, label: int, mask: Mask) -> None:
        """Show a class's mask (H, W) on a slice; it takes no voxel from other classes."""
        plane = self.plane(index)
        plane[plane == label] = 0
        plane[mask & (plane == 0)] = label
        self._dirty = True

    def write_all(self, segmentation: NDArray[Any], labels: Sequence[int]) -> None:
        """Show the settled masks (M, H, W) of these classes; other classes keep what nobody takes from them."""
        for index, settled in enumerate(segmentation):
            plane = self.plane(index)
            plane[np.isin(plane, labels)] = 0
            plane[settled > 0] = settled[settled > 0]
        self._dirty = True

    def refresh(self) -> None:
        """Draw what was written since the last time."""
        if self._dirty:
            self._dirty = False
            self.layer.refresh(extent=False, thumbnail=False)

    def lock(self, locked: bool) -> None:
        """Keep brushes off while the run writes."""
        if locked:
            self.layer.mode = "pan_zoom"
        self.layer.editable = not locked

    def describe(self, provenance: Mapping[str, Any]) -> None:
        """Keep settings, versions and scores with the layer."""
        self.layer.metadata[PROVENANCE] = dict(provenance)

    def edits(self, item: list[Any]) -> dict[int, frozenset[int]]:
        """Which query slices a brush stroke changed, and the classes it put there or took away.

        ``item`` is what the layer's ``paint`` event carries.
        """
        changed: dict[int, set[int]] = {}
        for where, *_, old, new in item:
            labels = {*np.unique(old).tolist(), *np.unique(new).tolist()} - {0}
            for index in self._slices_in(where):
                changed.setdefault(index, set()).update(labels)
        return {index: frozenset(labels) for index, labels in changed.items()}

    def _slices_in(self, where: tuple[Any, ...]) -> list[int]:
        """Query slices that an index into the layer's data touches."""
        indices = (number - self.slices.start for number in self.slices.numbers_in(where))
        return [index for index in indices if 0 <= index < len(self.slices)]


def _transforms(layer: Image, slices: LayerSlices) -> dict[str, Any]:
    """Take the five transforms of the layer, moved along the axes of which only one position is kept."""
    offset = [float(p) if axis in slices.fixed_axes else 0.0 for axis, p in enumerate(slices.point)]
    origin = (0.0,) * slices.ndim
    moved = np.asarray(layer.data_to_world(offset)) - np.asarray(layer.data_to_world(origin))
    linear = layer.affine.linear_matrix  # applied after translate
    return {
        "scale": layer.scale,
        "translate": np.asarray(layer.translate) + np.linalg.solve(linear, moved),
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }
