"""Which image to segment, along which axis, and which of its slices."""

from __future__ import annotations

from functools import partial

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from napari_revsam2.plugin.inputs.inputs import Inputs, choose_axis, choose_query, choose_range
from napari_revsam2.plugin.inputs.resolve import axis_name, notes
from napari_revsam2.plugin.layers.layer_choice import LayerChoice
from napari_revsam2.plugin.layers.viewer_slice import shown_point, slider_axis
from napari_revsam2.plugin.layers.wheel_guard import WheelGuard
from napari_revsam2.plugin.supports.support_pairs import LABEL_WIDTH

_IMAGE_HELP = "The volume to segment; it may be one of the supports, to continue from a few painted slices."
_AXIS_HELP = "The axis to cut slices along, in the supports too (there counted from the last axis)."
_RANGE_HELP = "First and last slice to segment."


class QueryForm(QWidget):
    """The query: shows that of the inputs and emits how the user wants to change it.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are; its position decides on axes that are neither sliced nor in the slice's plane.
    parent : QWidget, optional
        Where the form is.

    Attributes
    ----------
    wished : Signal(Wish)
        The user chose another layer, axis or range.
    """

    wished = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._build_fields()
        self._build_layout()
        WheelGuard(self)
        self._connect_fields()

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
        self.first.valueChanged.connect(self._on_range_chosen)
        self.last.valueChanged.connect(self._on_range_chosen)

    def show_inputs(self, inputs: Inputs) -> None:
        """Show layer, axis and range, each with what else there is to choose from."""
        self._choice.show_layer(inputs.query)
        self._show_axes(inputs)
        for box, value in ((self.first, inputs.range_shown[0]), (self.last, inputs.range_shown[1] - 1)):
            with QSignalBlocker(box):
                box.setRange(0, inputs.n_slices - 1)
                box.setValue(value)
        self.show_note(inputs)

    def _show_axes(self, inputs: Inputs) -> None:
        default = slider_axis(self._viewer)
        with QSignalBlocker(self.axis_box):
            self.axis_box.clear()
            for axis in inputs.axes:
                name = axis_name(inputs.query, axis) + (" (default)" if axis == default else "")
                self.axis_box.addItem(name, axis)
            self.axis_box.setCurrentIndex(max(self.axis_box.findData(inputs.axis), 0))

    def show_note(self, inputs: Inputs) -> bool:
        """Say what will be done with the layer that can't be seen from its name; whether that is news."""
        text = notes(inputs, shown_point(self._viewer, inputs.query)) if inputs.query is not None else ""
        is_news = text != self.note.text()
        self.note.setText(text)
        self.note.setVisible(bool(text))
        return is_news

    def _on_layer_chosen(self) -> None:
        self.wished.emit(partial(choose_query, query=self._choice.layer))

    def _on_axis_chosen(self) -> None:
        self.wished.emit(partial(choose_axis, axis=self.axis_box.currentData()))

    def _on_range_chosen(self) -> None:
        self.wished.emit(partial(choose_range, first=self.first.value(), stop=self.last.value() + 1))
