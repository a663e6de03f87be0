"""Which slice of a layer the viewer shows, and how to show another."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels

from .layer_slices import backwards_axes, full_resolution


def shown_slice(viewer: ViewerModel, layer: Image | Labels, axis: int) -> int:
    """Find the slice along ``axis`` of ``layer`` (from the front) at the viewer's position; it may lie outside."""
    return _turned(layer, axis, int(np.round(layer.world_to_data(viewer.dims.point)[axis])))


def shown_point(viewer: ViewerModel, layer: Image | Labels) -> tuple[int, ...]:
    """Find the viewer's position in the layer's own indices, moved into the layer."""
    shape = full_resolution(layer).shape
    indices = np.round(layer.world_to_data(viewer.dims.point)).astype(int)
    return tuple(int(min(max(i, 0), size - 1)) for i, size in zip(indices, shape[: layer.ndim], strict=True))


def slider_axis(viewer: ViewerModel) -> int:
    """Find the axis that the viewer's last slider moves along, counted from the last (negative)."""
    dims = viewer.dims
    return int(dims.order[-3]) - int(dims.ndim) if dims.ndim >= 3 else -3


def show_slice(viewer: ViewerModel, layer: Image | Labels, axis: int, index: int) -> None:
    """Move the viewer to slice number ``index`` along ``axis`` of ``layer``; that axis gets a slider if it has none."""
    viewer_axis = axis + viewer.dims.ndim - layer.ndim
    if viewer_axis in viewer.dims.displayed:
        others = [a for a in viewer.dims.order if a != viewer_axis]
        viewer.dims.ndisplay = 2
        viewer.dims.order = (viewer_axis, *others)
    place = list(layer.world_to_data(viewer.dims.point))
    place[axis] = _turned(layer, axis, index)
    world = layer.data_to_world(place)
    viewer.dims.set_point(viewer_axis, world[axis])


def _turned(layer: Image | Labels, axis: int, index: int) -> int:
    """From a slice number to its index in the data, and back."""
    return int(full_resolution(layer).shape[axis]) - 1 - index if axis in backwards_axes(layer, axis) else index
