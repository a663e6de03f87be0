"""Which image to segment, along which axis, and which of its slices."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from napari_revsam2.plugin.layers.layer_choice import LayerChoice
from napari_revsam2.plugin.layers.layer_slices import LayerSlices, slices_of
from napari_revsam2.plugin.layers.pairing import query_by_name, shape_without_colours
from napari_revsam2.plugin.layers.viewer_slice import shown_point
from napari_revsam2.plugin.layers.wheel_guard import WheelGuard
from napari_revsam2.plugin.supports.support_pairs import LABEL_WIDTH
from napari_revsam2.vocabulary.errors import ProblemError

_IMAGE_HELP = "The volume to segment; it may be one of the supports, to go on from a few painted slices."
_AXIS_HELP = "The axis to cut slices along, in the supports too (there counted from the last axis)."
_RANGE_HELP = "First and last slice to segment."


class QueryForm(QWidget):
    """The query; found by name until the user chooses.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are; its position decides on axes that are neither sliced nor in the slice's plane.
    parent : QWidget, optional
        Where the form is.

    Attributes
    ----------
    changed : Signal()
        The user chose another layer, axis or range.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._is_by_name = True
        self._shape: tuple[int, ...] = ()
        self._build_fields()
        self._build_layout()
        WheelGuard(self)
        self._connect_fields()
        self.refresh()

    def _build_fields(self) -> None:
        self._choice = LayerChoice(self._viewer.layers, Image, _IMAGE_HELP, self)
        self.axis_box = QComboBox(self)
        self.axis_box.setToolTip(_AXIS_HELP)
        self.axis_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.first, self.last = QSpinBox(self), QSpinBox(self)
        for box in (self.first, self.last):
            box.setToolTip(_RANGE_HELP)
        self.note = QLabel(self)
        self.note.setWordWrap(True)

    def _build_layout(self) -> None:
        span = QHBoxLayout()
        span.addWidget(self.first, stretch=1)
        span.addWidget(QLabel("to", self))
        span.addWidget(self.last, stretch=1)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(2)
        layout.setColumnMinimumWidth(0, LABEL_WIDTH)
        layout.setColumnStretch(1, 1)
        layout.addWidget(QLabel("<b>Query</b>", self), 0, 0)
        layout.addWidget(self._choice.native, 0, 1)
        layout.addWidget(QLabel("Axis", self), 1, 0)
        layout.addWidget(self.axis_box, 1, 1)
        layout.addWidget(QLabel("Slices", self), 2, 0)
        layout.addLayout(span, 2, 1)
        layout.addWidget(self.note, 3, 0, 1, 2)

    def _connect_fields(self) -> None:
        self._choice.changed.connect(self._on_layer_chosen)
        self.axis_box.currentIndexChanged.connect(self._on_axis_chosen)
        self.first.valueChanged.connect(self.changed)
        self.last.valueChanged.connect(self.changed)

    @property
    def layer(self) -> Image | None:
        """The image to segment."""
        return self._choice.layer

    @property
    def axis(self) -> int:
        """The axis to cut along, counted from the last (negative)."""
        axis = self.axis_box.currentData()
        return -3 if axis is None else int(axis)

    @axis.setter
    def axis(self, axis: int) -> None:
        """Choose an axis, if the layer has it."""
        self.axis_box.setCurrentIndex(max(self.axis_box.findData(axis), 0))

    @property
    def span(self) -> tuple[int, int]:
        """First slice and the one after the last."""
        return self.first.value(), self.last.value() + 1

    @span.setter
    def span(self, span: tuple[int, int]) -> None:
        """Show the range; the form's last slice is within it."""
        self.first.setValue(span[0])
        self.last.setValue(span[1] - 1)

    def set_layer(self, layer: Image) -> None:
        """Take this layer, as if the user had chosen it."""
        self._choice.layer = layer
        self._on_layer_chosen()

    def slices(self) -> LayerSlices:
        """Cut the layer, fixed axes at the viewer's present position.

        Raises
        ------
        ProblemError
            When there is no layer, it has no slices, or the range is empty.
        """
        if self.layer is None:
            raise ProblemError("There is no image to segment: open one, or choose it as the query.")
        first, stop = self.span
        if first >= stop:
            raise ProblemError(f"The range of slices is empty: the first one ({first}) is after the last ({stop - 1}).")
        return slices_of(self.layer, self.axis, shown_point(self._viewer, self.layer), (first, stop))

    def refresh(self) -> None:
        """Follow the viewer: new names, new layers, layers gone, other data. Tells nobody."""
        before = self.layer
        self._choice.refresh()
        if self.layer is None:  # also when what was chosen is gone
            self._is_by_name = True
        if self._is_by_name:
            self._choice.layer = query_by_name(self._viewer.layers)
        shape = shape_without_colours(self.layer) if self.layer is not None else ()
        if self.layer is not before or shape != self._shape:
            self._shape = shape
            self._offer_axes()
        self.update_note()

    def update_note(self) -> None:
        """Say what will be done with the layer that can't be seen from its name."""
        text = " ".join(_notes(self.layer, self.slices())) if self._has_slices() else ""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _has_slices(self) -> bool:
        return self.layer is not None and self.layer.ndim >= 3 and self.first.value() <= self.last.value()

    def _offer_axes(self) -> None:
        """Fill in the layer's axes; the one that has the viewer's slider is chosen, if the user hasn't another."""
        before, default = self.axis_box.currentData(), self._axis_with_slider()
        with QSignalBlocker(self.axis_box):
            self.axis_box.clear()
            for axis in range(-len(self._shape), 0) if len(self._shape) >= 3 else ():
                name = _axis_name(self.layer, axis) + (" (default)" if axis == default else "")
                self.axis_box.addItem(name, axis)
            same = self.axis_box.findData(before)
            self.axis_box.setCurrentIndex(same if same >= 0 else max(self.axis_box.findData(default), 0))
        self._offer_all_slices()

    def _axis_with_slider(self) -> int:
        """Axis that the viewer's last slider moves along, if the layer has it, else the third from the last."""
        dims = self._viewer.dims
        axis = dims.order[-3] - dims.ndim if dims.ndim >= 3 else -3
        return axis if -axis <= len(self._shape) else -3

    def _offer_all_slices(self) -> None:
        last = self._shape[self.axis] - 1 if len(self._shape) >= -self.axis else 0
        for box, value in ((self.first, 0), (self.last, last)):
            with QSignalBlocker(box):
                box.setRange(0, last)
                box.setValue(value)

    def _on_layer_chosen(self) -> None:
        self._is_by_name = False
        self._shape = ()
        self.refresh()
        self.changed.emit()

    def _on_axis_chosen(self) -> None:
        self._offer_all_slices()
        self.update_note()
        self.changed.emit()


def _axis_name(layer: Any, axis: int) -> str:
    """Give the layer's own name for an axis, or its number from the front."""
    if layer.axis_labels == tuple(str(number) for number in range(-layer.ndim, 0)):
        return f"axis {axis + layer.ndim}"
    return str(layer.axis_labels[axis])


def _notes(layer: Any, slices: LayerSlices) -> list[str]:
    notes = [f"{_axis_name(layer, axis - slices.ndim)} is fixed at {slices.point[axis]}." for axis in slices.fixed_axes]
    if slices.rgb:
        notes.append("Colours are turned to luminance.")
    if layer.multiscale:
        notes.append("The full resolution is segmented.")
    return notes
