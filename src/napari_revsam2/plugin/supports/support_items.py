"""Rows of the list of annotated slices: one for each pair, and under it one for each painted slice."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QTreeWidgetItem

from napari_revsam2.plugin.inputs.layer_request import ClassesBySlice
from napari_revsam2.plugin.inputs.painted_pair import PaintedPair

Colour = tuple[int, ...]

SLICE, CLASSES, VOXELS, USED = range(4)
"""Columns."""
SWATCH = 9
"""Side of a class's colour, in pixels."""
MOST_SWATCHES = 6
_CHECK = {True: Qt.CheckState.Checked, False: Qt.CheckState.Unchecked}


@dataclass(frozen=True)
class PaintedSlice:
    """What a row shows.

    Attributes
    ----------
    voxels : tuple of (int, int)
        Class and number of voxels.
    colours : tuple of tuple of int
        Red, green and blue of each class, 0 to 255.
    is_checked : bool
        Whether the user wants it.
    used_for : tuple of int
        Classes it is a support of.
    """

    voxels: tuple[tuple[int, int], ...]
    colours: tuple[Colour, ...]
    is_checked: bool
    used_for: tuple[int, ...]


class SliceItem(QTreeWidgetItem):
    """The row of a painted slice.

    Attributes
    ----------
    index : int
        Its slice number.
    """

    def __init__(self, index: int) -> None:
        super().__init__([str(index)])
        self.index = index
        self._shown: PaintedSlice | None = None
        self.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
        self.setTextAlignment(VOXELS, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setTextAlignment(USED, Qt.AlignmentFlag.AlignCenter)

    def show(self, painted: PaintedSlice) -> None:
        """Bring the row up to date, which takes time only if something is new."""
        if painted == self._shown:
            return
        self._shown = painted
        self.setCheckState(SLICE, _CHECK[painted.is_checked])
        self.setIcon(CLASSES, _swatches(painted.colours[:MOST_SWATCHES]))
        self.setText(CLASSES, _listed(label for label, _ in painted.voxels))
        self.setText(VOXELS, str(sum(count for _, count in painted.voxels)))
        self.setText(USED, "●" if painted.used_for else "")
        font = self.font(SLICE)
        font.setBold(bool(painted.used_for))
        help_text = self._help(painted)
        for column in (SLICE, CLASSES, VOXELS, USED):
            self.setFont(column, font)
            self.setToolTip(column, help_text)

    def _help(self, painted: PaintedSlice) -> str:
        detail = ", ".join(f"class {label}: {count} voxels" for label, count in painted.voxels)
        if painted.used_for:
            return f"Slice {self.index}, {detail}. A support of class {_listed(painted.used_for)}."
        return f"Slice {self.index}, {detail}. Not used: unchecked, or N others are enough."


class PairItem(QTreeWidgetItem):
    """The row of a pair, over those of its painted slices."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, SliceItem] = {}
        self.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
        self.setToolTip(SLICE, "Check or uncheck all slices of this volume.")

    def show(self, pair: PaintedPair, unchecked: Collection[int], used: ClassesBySlice) -> bool:
        """Bring the rows up to date; whether there are others than before."""
        voxels = pair.voxels
        colours = _colours(pair.labels, {label for found in voxels.values() for label in found})
        gone, new = self._rows.keys() - voxels.keys(), voxels.keys() - self._rows.keys()
        for index in gone:
            self.removeChild(self._rows.pop(index))
        for place, (index, found) in enumerate(voxels.items()):
            if index in new:
                self._rows[index] = SliceItem(index)
            classes = tuple(colours[label] for label in found)
            row = PaintedSlice(tuple(found.items()), classes, index not in unchecked, tuple(used.get(index, ())))
            self._rows[index].show(row)
            if index in new:
                self.insertChild(place, self._rows[index])
        self._show_count(pair, len(pair.checked(unchecked)))
        return bool(gone or new)

    def _show_count(self, pair: PaintedPair, checked: int) -> None:
        painted = len(pair.voxels)
        count = f"{checked} of {painted} painted slices" if pair.is_known else "looking for painted slices ..."
        states = {0: Qt.CheckState.Unchecked, painted: Qt.CheckState.Checked}
        self.setText(SLICE, f"{pair.image.name}: {count}")
        self.setCheckState(SLICE, states.get(checked, Qt.CheckState.PartiallyChecked))


def _colours(labels: Labels, classes: Collection[int]) -> dict[int, Colour]:
    """Red, green and blue of each class, 0 to 255, as the layer shows them."""
    rgba = {label: np.ravel(labels.colormap.map(label)) for label in sorted(classes)}
    return {label: tuple(int(255 * part) for part in colour[:3]) for label, colour in rgba.items()}


@lru_cache(maxsize=100)
def _swatches(colours: tuple[Colour, ...]) -> QIcon:
    pixmap = QPixmap(len(colours) * (SWATCH + 2), SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    for place, colour in enumerate(colours):
        painter.fillRect(place * (SWATCH + 2), 0, SWATCH, SWATCH, QColor(*colour))
    painter.end()
    return QIcon(pixmap)


def _listed(classes: Iterable[int]) -> str:
    return ", ".join(map(str, classes))
