"""The annotated slices of all support pairs, with check boxes; those that a run would use are marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_revsam2.plugin.layers.pairing import Pair
from napari_revsam2.vocabulary.errors import ProblemError

from .annotated_slices import AnnotatedSlices
from .support_items import CLASSES, MOST_SWATCHES, SLICE, SWATCH, USED, VOXELS, PairItem, SliceItem, UsedBySlice

_HEIGHT = 130
"""Of the list, in pixels, where there is little room."""


class SupportList(QWidget):
    """Annotated slices, grouped by pair.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    parent : QWidget, optional
        Where the list is.

    Attributes
    ----------
    annotated : list of AnnotatedSlices
        One for each pair that fits together.
    problem : str
        Why another pair doesn't, or nothing.
    changed : Signal()
        Something else is painted or checked.
    slice_requested : Signal(Image, int)
        A click on a slice of that image.
    """

    changed = Signal()
    slice_requested = Signal(object, int)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.annotated: list[AnnotatedSlices] = []
        self.problem = ""
        self._tops: list[PairItem] = []
        self._build_tree()
        self.tree.itemChanged.connect(self._on_item_changed)
        self.tree.itemClicked.connect(self._on_item_clicked)

    def _build_tree(self) -> None:
        self.tree = QTreeWidget(self)
        self.tree.setHeaderLabels(["Slice", "Classes", "Voxels", "Used"])
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(12)
        self.tree.setMinimumHeight(_HEIGHT)
        self.tree.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.tree.setIconSize(QSize(MOST_SWATCHES * (SWATCH + 2), SWATCH))
        header = self.tree.header()
        assert header is not None
        header.setToolTip("● marks the slices that a run uses: N for each class, evenly spread.")
        header.setStretchLastSection(False)
        header.setDefaultSectionSize(60)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)  # ResizeToContents takes 8 ms for each text set
        header.setSectionResizeMode(CLASSES, QHeaderView.ResizeMode.Stretch)
        self.tree.setToolTip("Painted slices appear here by themselves. Click: see it. Uncheck: leave it out.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree)

    def show_pairs(self, pairs: Sequence[Pair], axis: int) -> None:
        """Look for painted slices of these pairs along ``axis`` (negative).

        What is known of pairs that stay is kept; so are the checks as long as the axis is the same.
        """
        before = self.annotated
        known = {annotated.labels: annotated for annotated in before}
        self.annotated, self.problem = [], ""
        for image, labels in pairs:
            try:
                self.annotated.append(self._annotated(known.get(labels), image, labels, axis))
            except ProblemError as error:
                self.problem = self.problem or str(error)
        for annotated in before:
            if annotated not in self.annotated:
                annotated.close()
                annotated.deleteLater()

    def _annotated(self, known: AnnotatedSlices | None, image: Any, labels: Labels, axis: int) -> AnnotatedSlices:
        if known is not None and known.shows(image, labels, axis) and known.is_current():
            return known
        annotated = AnnotatedSlices(self._viewer, image, labels, axis, self)
        if known is not None and known.axis == axis:
            annotated.unchecked = known.unchecked
        annotated.changed.connect(self.changed)
        return annotated

    def show_used(self, used: Sequence[UsedBySlice]) -> None:
        """Bring the rows up to date and mark those that a run uses; for each pair the classes by slice number."""
        with QSignalBlocker(self.tree):
            while len(self._tops) > len(self.annotated):
                self.tree.takeTopLevelItem(self.tree.indexOfTopLevelItem(self._tops.pop()))
            while len(self._tops) < len(self.annotated):
                self._tops.append(PairItem())
                self.tree.addTopLevelItem(self._tops[-1])
                self._tops[-1].setFirstColumnSpanned(True)
                self._tops[-1].setExpanded(True)
            shown = zip(self._tops, self.annotated, used, strict=True)
            are_others = [top.show(annotated, classes) for top, annotated, classes in shown]
        if any(are_others):
            for column in (SLICE, VOXELS, USED):
                self.tree.resizeColumnToContents(column)

    def close_layers(self) -> None:
        """Let go of all layers."""
        for annotated in self.annotated:
            annotated.close()

    def _on_item_changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column != SLICE:
            return
        if isinstance(item, SliceItem):
            annotated, touched = self._annotated_above(item), {item.index}
        else:
            annotated = self.annotated[self.tree.indexOfTopLevelItem(item)]
            touched = set(annotated.voxels)
        if item.checkState(SLICE) == Qt.CheckState.Checked:
            annotated.unchecked -= touched
        else:
            annotated.unchecked |= touched
        self.changed.emit()

    def _on_item_clicked(self, item: QTreeWidgetItem, _: int) -> None:
        if isinstance(item, SliceItem):
            self.slice_requested.emit(self._annotated_above(item).image, item.index)

    def _annotated_above(self, item: SliceItem) -> AnnotatedSlices:
        return self.annotated[self.tree.indexOfTopLevelItem(item.parent())]
