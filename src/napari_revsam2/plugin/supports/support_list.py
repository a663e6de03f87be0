"""The annotated slices of all support pairs, with check boxes; those that a run would use are marked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_revsam2.plugin.inputs.inputs import Inputs, check
from napari_revsam2.plugin.inputs.layer_request import ClassesBySlice
from napari_revsam2.plugin.inputs.painted_pair import PaintedPair, cut_pair
from napari_revsam2.plugin.layers.pairing import Pair
from napari_revsam2.plugin.layers.viewer_slice import shown_point
from napari_revsam2.vocabulary.errors import ProblemError

from .annotated_slices import AnnotatedSlices
from .support_items import CLASSES, MOST_SWATCHES, SLICE, SWATCH, USED, VOXELS, PairItem, SliceItem

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
    annotated : tuple of AnnotatedSlices
        One for each pair that fits together.
    changed : Signal()
        Something else is painted.
    wished : Signal(Wish)
        Slices were checked or unchecked.
    slice_requested : Signal(Image, int)
        A click on a slice of that image.
    """

    changed = Signal()
    wished = Signal(object)
    slice_requested = Signal(object, int)

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.annotated: tuple[AnnotatedSlices, ...] = ()
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

    @property
    def painted(self) -> tuple[PaintedPair, ...]:
        """What is known to be painted by now, for each pair that fits together."""
        return tuple(annotated.painted for annotated in self.annotated)

    def show_pairs(self, pairs: Sequence[Pair], axis: int) -> None:
        """Look for painted slices of these pairs along ``axis`` (negative); pairs that stay aren't read again."""
        before = self.annotated
        self.annotated = tuple(filter(None, (self._annotated(image, labels, axis) for image, labels in pairs)))
        for annotated in set(before).difference(self.annotated):
            annotated.close()
            annotated.deleteLater()

    def _annotated(self, image: Image, labels: Labels, axis: int) -> AnnotatedSlices | None:
        """Keep watching a pair, or begin; None for one that doesn't fit together, which `resolve` explains."""
        for known in self.annotated:
            if known.shows(image, labels, axis):
                return known
        try:
            pair = cut_pair(image, labels, axis, shown_point(self._viewer, image))
        except ProblemError:
            return None
        annotated = AnnotatedSlices(self._viewer, pair, self)
        annotated.changed.connect(self.changed)
        return annotated

    def show_used(self, painted: Sequence[PaintedPair], inputs: Inputs, used: Sequence[ClassesBySlice]) -> None:
        """Bring the rows up to date and mark those that a run uses; for each pair the classes by slice number."""
        with QSignalBlocker(self.tree):
            while len(self._tops) > len(painted):
                self.tree.takeTopLevelItem(self.tree.indexOfTopLevelItem(self._tops.pop()))
            while len(self._tops) < len(painted):
                self._tops.append(PairItem())
                self.tree.addTopLevelItem(self._tops[-1])
                self._tops[-1].setFirstColumnSpanned(True)
                self._tops[-1].setExpanded(True)
            shown = zip(self._tops, painted, used, strict=True)
            are_others = [top.show(pair, inputs.unchecked_of(pair.labels), classes) for top, pair, classes in shown]
        if any(are_others):
            for column in (SLICE, VOXELS, USED):
                self.tree.resizeColumnToContents(column)

    def settle(self) -> None:
        """Find all that is painted, however long it takes."""
        for annotated in self.annotated:
            annotated.settle()

    def close_layers(self) -> None:
        """Let go of all layers."""
        self.show_pairs((), -3)

    def _on_item_changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column != SLICE:
            return
        pair = self._pair_of(item)
        indices = {item.index} if isinstance(item, SliceItem) else set(pair.voxels)
        is_wanted = item.checkState(SLICE) == Qt.CheckState.Checked
        self.wished.emit(partial(check, labels=pair.labels, indices=indices, is_wanted=is_wanted))

    def _on_item_clicked(self, item: QTreeWidgetItem, _: int) -> None:
        if isinstance(item, SliceItem):
            self.slice_requested.emit(self._pair_of(item).image, item.index)

    def _pair_of(self, item: QTreeWidgetItem) -> PaintedPair:
        top = item.parent() if isinstance(item, SliceItem) else item
        return self.annotated[self.tree.indexOfTopLevelItem(top)].painted
