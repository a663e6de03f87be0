"""The painted slices of a support pair, found by themselves while the user paints."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_revsam2.plugin.layers.connections import Connections
from napari_revsam2.plugin.layers.layer_slices import full_resolution, slices_of
from napari_revsam2.plugin.layers.pairing import check_pair
from napari_revsam2.plugin.layers.viewer_slice import shown_point

_PAINT_DELAY = 200
"""Milliseconds between a brush stroke and the look at what it changed."""
_HOLD = 0.005
"""Seconds for which a look may hold the window; it then goes on at the next turn of the event loop."""
_SETTLE = 0.04
"""Seconds for which a look may hold the window when Run is clicked."""
_TELL_EVERY = 0.2


class AnnotatedSlices(QObject):
    """A support pair, cut along one axis, and what is painted on its slices.

    Slices are read one at a time and only when something may have changed on them, so that the window never stands.

    Parameters
    ----------
    viewer : ViewerModel
        Its position decides on axes that are neither sliced nor in the slice's plane.
    image, labels : Image, Labels
        The pair.
    axis : int
        The axis to slice along, counted from the last (negative).

    Attributes
    ----------
    slices, image_slices : LayerSlices
        All slices of the labels and of the image.
    unchecked : set of int
        Painted slices that the user doesn't want.
    is_known : bool
        Whether all slices have been looked at once.
    changed : Signal()
        Something else is painted, or all slices have been looked at.

    Raises
    ------
    ProblemError
        When the labels don't lie on the image, or the layers have no slices along that axis.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, image: Image, labels: Labels, axis: int, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        check_pair(image, labels)
        self.image, self.labels, self.axis = image, labels, axis
        point = shown_point(viewer, image)
        self.image_slices = slices_of(image, axis, point)
        self.slices = self.image_slices.of(labels)
        self.unchecked: set[int] = set()
        self._viewer = viewer
        self._voxels: dict[int, dict[int, int]] = {}
        self._pending: dict[int, None] = {}
        self._edited: set[int] = set()
        self._seen_from = viewer.dims.point
        self._told = 0.0
        self.is_known = False
        self._build_timer()
        self._connect_labels()
        self._look_at(range(len(self.slices)), delay=0)

    def _build_timer(self) -> None:
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)

    def _connect_labels(self) -> None:
        self._connections = Connections()
        events = self.labels.events
        self._connections.connect(events.labels_update, self._on_labels_update)
        self._connections.connect(events.paint, self._on_paint)
        self._connections.connect(events.set_data, self._on_set_data)
        self._connections.connect(events.colormap, self._on_colormap)
        connections = self._connections
        self.destroyed.connect(connections.close)

    @property
    def is_complete(self) -> bool:
        """Whether all slices have been looked at since something changed."""
        return not self._pending

    @property
    def voxels(self) -> Mapping[int, Mapping[int, int]]:
        """For each painted slice, ascending, the voxels of each class."""
        return dict(sorted(self._voxels.items()))

    @property
    def checked(self) -> dict[int, tuple[int, ...]]:
        """The painted slices the user wants, ascending, and the classes on each."""
        return {index: tuple(found) for index, found in self.voxels.items() if index not in self.unchecked}

    def shows(self, image: Image, labels: Labels, axis: int) -> bool:
        """Whether it is this pair, cut along this axis."""
        return (image, labels, axis) == (self.image, self.labels, self.axis)

    def is_current(self) -> bool:
        """Whether it is cut at the viewer's present position, on the data the layers have now."""
        point = shown_point(self._viewer, self.image)
        in_place = all(self.slices.point[axis] == point[axis] for axis in self.slices.fixed_axes)
        return (
            in_place
            and full_resolution(self.labels) is self.slices.data
            and full_resolution(self.image) is self.image_slices.data
        )

    def settle(self) -> None:
        """Look at what is still to be looked at, as far as that takes no time."""
        self._look(until=time.perf_counter() + _SETTLE)

    def close(self) -> None:
        """Let go of the layers."""
        self._timer.stop()
        self._connections.close()

    def _look_at(self, indices: Iterable[int], delay: int = _PAINT_DELAY) -> None:
        self._pending.update(dict.fromkeys(indices))
        if self._pending and not self._timer.isActive():
            self._timer.start(delay)

    def _on_timeout(self) -> None:
        is_different = self._look(until=time.perf_counter() + _HOLD)
        if self._pending:
            self._timer.start(0)
        if not self._pending or (is_different and time.monotonic() - self._told > _TELL_EVERY):
            self._told = time.monotonic()
            self.changed.emit()

    def _look(self, until: float) -> bool:
        """Look at pending slices until it is time to stop; whether anything is different."""
        is_different = False
        while self._pending and time.perf_counter() < until:
            index = next(iter(self._pending))
            del self._pending[index]
            found = _voxels_by_class(self.slices[index])
            is_different |= found != self._voxels.get(index, {})
            self._voxels.pop(index, None)
            if found:
                self._voxels[index] = found
        self.is_known |= not self._pending
        return is_different

    def _on_labels_update(self, _: object) -> None:
        """Look at the slice that is shown: a stroke goes on there."""
        shown = shown_point(self._viewer, self.labels)[self.slices.axis]
        self._look_at([self.slices.number_of(shown)])

    def _on_paint(self, event: Any) -> None:
        """Look where a complete stroke went, as its parts say."""
        for part in event.value:
            indices = self.slices.numbers_in(part[0])
            self._edited.update(indices)
            self._look_at(indices)

    def _on_set_data(self, _: object) -> None:
        """Look again after an undo or a script, which don't say where; not when the slider has moved."""
        moved = self._viewer.dims.point != self._seen_from
        self._seen_from = self._viewer.dims.point
        if not moved:
            in_memory = isinstance(self.slices.data, np.ndarray)
            self._look_at(range(len(self.slices)) if in_memory else self._edited)

    def _on_colormap(self, _: object) -> None:
        self.changed.emit()


def _voxels_by_class(labels: NDArray[Any]) -> dict[int, int]:
    if not labels.any():
        return {}
    classes, counts = np.unique(labels[labels != 0], return_counts=True)
    return dict(zip(map(int, classes), map(int, counts), strict=True))
