"""Which image and labels layers are the supports: a row of two combo boxes for each pair."""

from __future__ import annotations

from collections.abc import Sequence

from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_revsam2.plugin.layers.layer_choice import LayerChoice
from napari_revsam2.plugin.layers.pairing import Pair, add_labels_for, pairs_by_name, query_by_name
from napari_revsam2.plugin.layers.wheel_guard import WheelGuard
from napari_revsam2.vocabulary.errors import ProblemError

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
    def layers(self) -> tuple[Image | None, Labels | None]:
        """What is chosen."""
        return self.image.layer, self.labels.layer

    @layers.setter
    def layers(self, layers: tuple[Image | None, Labels | None]) -> None:
        """Choose both layers."""
        self.image.layer, self.labels.layer = layers
        self.update_buttons()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen."""
        return self.layers == (None, None)

    def update_buttons(self) -> None:
        """Offer new labels where there are none."""
        self.new_labels.setVisible(self.labels.layer is None)
        self.new_labels.setEnabled(self.image.layer is not None)

    def _on_new_labels_clicked(self) -> None:
        self.new_labels_requested.emit(self)

    def _on_remove_clicked(self) -> None:
        self.remove_requested.emit(self)


class SupportPairs(QWidget):
    """The support pairs; found by name until the user chooses.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    parent : QWidget, optional
        Where the rows are.

    Attributes
    ----------
    changed : Signal()
        The user chose other pairs.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._is_by_name = True
        self.rows: list[PairRow] = []
        self._build_layout()
        self.add.clicked.connect(self._on_add_clicked)
        self.refresh()

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

    @property
    def pairs(self) -> list[Pair]:
        """The complete pairs, top to bottom."""
        chosen = (row.layers for row in self.rows)
        return [(image, labels) for image, labels in chosen if image is not None and labels is not None]

    def check(self) -> None:
        """Refuse pairs that can't be meant.

        Raises
        ------
        ProblemError
            When half a pair is missing, or labels are in two pairs.
        """
        for image, labels in (row.layers for row in self.rows):
            if image is not None and labels is None:
                raise ProblemError(f"{image.name!r} has no labels yet: choose some, or click 'New labels'.")
            if labels is not None and image is None:
                raise ProblemError(f"{labels.name!r} has no image: choose the one that it was painted on.")
        chosen = [labels for _, labels in self.pairs]
        for labels in chosen:
            if chosen.count(labels) > 1:
                raise ProblemError(f"The labels {labels.name!r} are in two support pairs: remove one of them.")

    def set_pairs(self, pairs: Sequence[Pair]) -> None:
        """Take these pairs, as if the user had chosen them."""
        self._is_by_name = False
        self._show(pairs)
        self.changed.emit()

    def refresh(self) -> None:
        """Follow the viewer: new names, new layers, layers gone. Tells nobody."""
        for row in list(self.rows):
            was_empty = row.is_empty
            row.image.refresh()
            row.labels.refresh()
            row.update_buttons()
            if row.is_empty and not was_empty:
                self._drop(row)
        if not self.rows:  # all that was chosen is gone: begin anew
            self._is_by_name = True
        if self._is_by_name:
            self._show(pairs_by_name(self._viewer.layers) or [self._first_image()])

    def _first_image(self) -> tuple[Image | None, None]:
        """Choose an image to begin painting on: another than the query, or the query itself if it is alone."""
        images = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        others = [image for image in images if image is not query_by_name(images)]
        return next(iter([*others, *images]), None), None

    def _show(self, pairs: Sequence[tuple[Image | None, Labels | None]]) -> None:
        pairs = pairs or [(None, None)]
        while len(self.rows) > len(pairs):
            self._drop(self.rows[-1])
        while len(self.rows) < len(pairs):
            self._append_row()
        for row, layers in zip(self.rows, pairs, strict=True):
            row.layers = layers

    def _append_row(self) -> None:
        row = PairRow(self._viewer, self)
        row.changed.connect(self._on_row_changed)
        row.new_labels_requested.connect(self._on_new_labels_requested)
        row.remove_requested.connect(self._on_remove_requested)
        row.update_buttons()
        self.rows.append(row)
        self._layout.addWidget(row)

    def _drop(self, row: PairRow) -> None:
        self.rows.remove(row)
        self._layout.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _on_row_changed(self) -> None:
        self._is_by_name = False
        for row in self.rows:
            row.update_buttons()
        self.changed.emit()

    def _on_add_clicked(self) -> None:
        self._is_by_name = False
        self._append_row()
        self.changed.emit()

    def _on_remove_requested(self, row: PairRow) -> None:
        self._is_by_name = False
        self._drop(row)
        self._show([row.layers for row in self.rows])
        self.changed.emit()

    def _on_new_labels_requested(self, row: PairRow) -> None:
        labels = add_labels_for(self._viewer, row.image.layer)
        if not self._is_by_name:  # else they have been found already
            row.layers = row.image.layer, labels
            self.changed.emit()
