"""The painted slices of a support pair, found by themselves while the user paints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_revsam2.plugin.inputs.painted_pair import PaintedPair
from napari_revsam2.plugin.layers.connections import Connections
from napari_revsam2.plugin.layers.layer_slices import full_resolution
from napari_revsam2.plugin.layers.viewer_slice import shown_point

_PAINT_DELAY = 200
"""Milliseconds between a brush stroke and the look at what it changed."""
_HOLD = 0.005
"""Seconds for which a look may hold the window; it resumes at the next turn of the event loop."""
_TELL_EVERY = 0.2


class AnnotatedSlices(QObject):
    """Watches a support pair, and finds what is painted on its slices.

    Slices are read one at a time and only when something may have changed on them, so that the window never stands.

    Parameters
    ----------
    viewer : ViewerModel
        Its position decides on axes that are neither sliced nor in the slice's plane.
    pair : PaintedPair
        The pair, of which nothing is known yet.
    parent : QObject, optional
        Where it lives.

    Attributes
    ----------
    pair : PaintedPair
        The pair as it was cut; `painted` is the same with what is known by now.
    changed : Signal()
        Something else is painted, or all slices have been looked at.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, pair: PaintedPair, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pair = pair
        self._viewer = viewer
        self._voxels: dict[int, dict[int, int]] = {}
        self._pending: dict[int, None] = {}
        self._edited: set[int] = set()
        self._seen_from = viewer.dims.point
        self._told = 0.0
        self._is_known = False
        self._build_timer()
        self._connect_labels()
        self._look_at(range(len(pair.slices)), delay=0)

    def _build_timer(self) -> None:
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)

    def _connect_labels(self) -> None:
        self._connections = Connections()
        events = self.pair.labels.events
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
    def painted(self) -> PaintedPair:
        """The pair with what is known to be painted by now."""
        return replace(self.pair, voxels=dict(sorted(self._voxels.items())), is_known=self._is_known)

    def shows(self, image: Image, labels: Labels, axis: int) -> bool:
        """Whether it is this pair, cut along this axis, at the viewer's present position, on the data of now."""
        pair = self.pair
        return (image, labels, axis) == (pair.image, pair.labels, pair.axis) and self.is_current()

    def is_current(self) -> bool:
        """Whether it is cut at the viewer's present position, on the data the layers have now."""
        pair, point = self.pair, shown_point(self._viewer, self.pair.image)
        return (
            all(pair.slices.point[axis] == point[axis] for axis in pair.slices.fixed_axes)
            and full_resolution(pair.labels) is pair.slices.data
            and full_resolution(pair.image) is pair.image_slices.data
        )

    def settle(self) -> None:
        """Look at all that is still to be looked at, however long it takes."""
        self._look(until=math.inf)

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
            found = _voxels_by_class(self.pair.slices[index])
            is_different |= found != self._voxels.get(index, {})
            self._voxels.pop(index, None)
            if found:
                self._voxels[index] = found
        self._is_known |= not self._pending
        return is_different

    def _on_labels_update(self, _: object) -> None:
        """Look at the slice that is shown: a stroke may be going on there."""
        shown = shown_point(self._viewer, self.pair.labels)[self.pair.slices.axis]
        self._look_at([self.pair.slices.number_of(shown)])

    def _on_paint(self, event: Any) -> None:
        """Look where a complete stroke went, as its parts say."""
        for part in event.value:
            indices = self.pair.slices.numbers_in(part[0])
            self._edited.update(indices)
            self._look_at(indices)

    def _on_set_data(self, _: object) -> None:
        """Look again after an undo or a script, which don't say where; not when the slider has moved."""
        moved = self._viewer.dims.point != self._seen_from
        self._seen_from = self._viewer.dims.point
        if not moved:
            in_memory = isinstance(self.pair.slices.data, np.ndarray)
            self._look_at(range(len(self.pair.slices)) if in_memory else self._edited)

    def _on_colormap(self, _: object) -> None:
        self.changed.emit()


def _voxels_by_class(labels: NDArray[Any]) -> dict[int, int]:
    if not labels.any():
        return {}
    classes, counts = np.unique(labels[labels != 0], return_counts=True)
    return dict(zip(map(int, classes), map(int, counts), strict=True))
