"""Which image and labels layers are the supports: a row of two combo boxes for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_revsam2.plugin.inputs.inputs import ChosenPair, choose_new_labels, choose_pairs
from napari_revsam2.plugin.layers.layer_choice import LayerChoice
from napari_revsam2.plugin.layers.pairing import add_labels_for
from napari_revsam2.plugin.layers.wheel_guard import WheelGuard

LABEL_WIDTH = 48
"""Width of the names of fields, in pixels, so that the fields of supports and query begin on one line."""
_IMAGE_HELP = "An image volume with some slices painted, or to paint."
_LABELS_HELP = "Its labels: what is painted there is what RevSAM2 looks for in the query. Class 0 is background."
_NEW_HELP = "New labels: an empty labels layer on this image, with the brush in hand."
_ADD_HELP = "Another pair: supports may come from several volumes."


class PairRow(QWidget):
    """One pair.

    Attributes
    ----------
    changed : Signal()
        The user chose another layer.
    new_labels_requested, remove_requested : Signal(PairRow)
        A click on the button of that name.
    """

    changed = Signal()
    new_labels_requested = Signal(object)
    remove_requested = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.image = LayerChoice(viewer.layers, Image, _IMAGE_HELP, self)
        self.labels = LayerChoice(viewer.layers, Labels, _LABELS_HELP, self)
        self.new_labels = QPushButton("New labels", self)
        self.new_labels.setToolTip(_NEW_HELP)
        self.remove = QToolButton(self)
        self.remove.setText("×")
        self.remove.setToolTip("Remove this pair from the supports; the layers stay.")
        self._build_layout()
        WheelGuard(self)
        self.image.changed.connect(self.changed)
        self.labels.changed.connect(self.changed)
        self.new_labels.clicked.connect(self._on_new_labels_clicked)
        self.remove.clicked.connect(self._on_remove_clicked)

    def _build_layout(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(2)
        layout.setColumnMinimumWidth(0, LABEL_WIDTH)
        layout.setColumnStretch(1, 1)
        layout.addWidget(QLabel("Image", self), 0, 0)
        layout.addWidget(self.image.native, 0, 1, 1, 2)
        layout.addWidget(self.remove, 0, 3)
        layout.addWidget(QLabel("Labels", self), 1, 0)
        layout.addWidget(self.labels.native, 1, 1)
        layout.addWidget(self.new_labels, 1, 2, 1, 2)

    @property
    def layers(self) -> ChosenPair:
        """What is chosen."""
        return self.image.layer, self.labels.layer

    def show_layers(self, layers: ChosenPair) -> None:
        """Show a choice among the layers that the viewer has now, and offer new labels where there are none."""
        image, labels = layers
        self.image.show_layer(image)
        self.labels.show_layer(labels)
        self.new_labels.setVisible(labels is None)
        self.new_labels.setEnabled(image is not None)

    def _on_new_labels_clicked(self) -> None:
        self.new_labels_requested.emit(self)

    def _on_remove_clicked(self) -> None:
        self.remove_requested.emit(self)


class SupportPairs(QWidget):
    """The support pairs: shows those of the inputs and emits how the user wants to change them.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    parent : QWidget, optional
        Where the rows are.

    Attributes
    ----------
    wished : Signal(Wish)
        The user chose other pairs.
    """

    wished = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.rows: list[PairRow] = []
        self._build_layout()
        self.add.clicked.connect(self._on_add_clicked)

    def _build_layout(self) -> None:
        self.add = QPushButton("Add pair", self)
        self.add.setToolTip(_ADD_HELP)
        head = QHBoxLayout()
        head.addWidget(QLabel("<b>Support</b>", self))
        head.addStretch()
        head.addWidget(self.add)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addLayout(head)

    def show_pairs(self, pairs: Sequence[ChosenPair]) -> None:
        """Show a row for each pair, with the viewer's layers to choose from."""
        while len(self.rows) > len(pairs):
            self._drop_last_row()
        while len(self.rows) < len(pairs):
            self._append_row()
        for row, layers in zip(self.rows, pairs, strict=True):
            row.show_layers(layers)

    def _append_row(self) -> None:
        row = PairRow(self._viewer, self)
        row.changed.connect(self._on_row_changed)
        row.new_labels_requested.connect(self._on_new_labels_requested)
        row.remove_requested.connect(self._on_remove_requested)
        self.rows.append(row)
        self._layout.addWidget(row)

    def _drop_last_row(self) -> None:
        row = self.rows.pop()
        self._layout.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _wish(self, pairs: Sequence[ChosenPair]) -> None:
        self.wished.emit(partial(choose_pairs, pairs=pairs))

    def _on_row_changed(self) -> None:
        self._wish([row.layers for row in self.rows])

    def _on_add_clicked(self) -> None:
        self._wish([*(row.layers for row in self.rows), (None, None)])

    def _on_remove_requested(self, removed: PairRow) -> None:
        self._wish([row.layers for row in self.rows if row is not removed])

    def _on_new_labels_requested(self, row: PairRow) -> None:
        number, labels = self.rows.index(row), add_labels_for(self._viewer, row.image.layer)
        self.wished.emit(partial(choose_new_labels, row=number, labels=labels))
