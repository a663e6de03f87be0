"""The reverse score pi of each query slice, as a plot that follows the viewer and can be clicked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from napari.utils.theme import get_theme
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtWidgets import QToolTip, QVBoxLayout, QWidget

from napari_revsam2.plugin.layers.layer_slices import LUMINANCE
from napari_revsam2.plugin.run.run_state import RunState

_MARGIN = 0.06
"""Room above 1 and below 0, so that marks there are whole."""
_CONTRAST = 3
"""Between curves and background, at least; a class may be as dark as napari's."""
Shade = NDArray[np.float64]
"""(3,) red, green and blue, 0 to 1."""


class ScorePlot(QWidget):
    """One curve per class; conditional slices are large diamonds, the current slice is a line.

    Attributes
    ----------
    slice_clicked : Signal(int)
        A click; the nearest slice, numbered as in the query layer.
    conditional_clicked : Signal(int)
        A click with Shift.
    """

    slice_clicked = Signal(int)
    conditional_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = RunState()
        self._colors: Mapping[int, Any] = {}
        self._first = 0
        self._background, self._text = np.zeros(3), np.ones(3)
        self._curves: dict[int, tuple[pg.PlotDataItem, pg.ScatterPlotItem]] = {}
        self._build()
        self._view.scene().sigMouseClicked.connect(self._on_clicked)
        self._view.scene().sigMouseMoved.connect(self._on_hovered)

    def _build(self) -> None:
        self._view = pg.PlotWidget(self, enableMenu=False)
        self._plot = self._view.getPlotItem()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setYRange(-_MARGIN, 1 + _MARGIN, padding=0)
        self._plot.setLabel("left", "π")
        self._plot.setLabel("bottom", "slice")
        self._current = pg.InfiniteLine(angle=90)
        self._current.setVisible(False)
        self._plot.addItem(self._current)
        self._view.setMinimumHeight(130)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    def show_state(self, state: RunState, colors: Mapping[int, Any], first_slice: int = 0) -> None:
        """Show scores and conditional slices.

        Parameters
        ----------
        state : RunState
            Where they are.
        colors : mapping of int to array
            RGBA (0 to 1) of each class; grey for others. What would be lost on the background is mixed with the
            colour of the text.
        first_slice : int
            Number in the query layer of the first slice that was segmented.
        """
        self._state, self._colors, self._first = state, colors, first_slice
        for label in set(self._curves) - set(state.scores):
            for item in self._curves.pop(label):
                self._plot.removeItem(item)
        for label, scores in state.scores.items():
            self._show_class(label, scores, colors.get(label))
        if state.n_slices:
            self._plot.setXRange(first_slice - 0.5, first_slice + state.n_slices - 0.5, padding=0.01)

    def set_current(self, slice_number: int | None) -> None:
        """Move the line of the current slice; None takes it away."""
        self._current.setVisible(slice_number is not None)
        if slice_number is not None:
            self._current.setValue(slice_number)

    def set_theme(self, theme: str) -> None:
        """Take the colours of a napari theme."""
        colours = get_theme(theme)
        background, text = colours.background.as_hex(), colours.text.as_hex()
        self._view.setBackground(background)
        for side in ("left", "bottom"):
            axis = self._plot.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
        self._current.setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine))
        self._background, self._text = (
            np.array(shade.as_rgb_tuple(alpha=False)) / 255 for shade in (colours.background, colours.text)
        )
        self.show_state(self._state, self._colors, self._first)

    def slice_at(self, position: QPointF) -> int | None:
        """Find the slice nearest to a place in the scene; None when nothing is shown or it is outside."""
        inside = self._plot.vb.sceneBoundingRect().contains(position)
        if not self._state.n_slices or not inside:
            return None
        number = round(self._plot.vb.mapSceneToView(position).x())
        return int(np.clip(number, self._first, self._first + self._state.n_slices - 1))

    def place_of(self, slice_number: int, score: float) -> QPointF:
        """Find the place of a point in the scene."""
        place: QPointF = self._plot.vb.mapViewToScene(QPointF(slice_number, score))
        return place

    def described(self, slice_number: int) -> str:
        """Say what is known of a slice."""
        index = slice_number - self._first
        said = []
        for label, scores in self._state.scores.items():
            if np.isfinite(scores[index]):
                chosen = ", conditional" if index in self._state.selected.get(label, ()) else ""
                said.append(f"class {label}: π {scores[index]:.2f}{chosen}")
        return "\n".join((f"slice {slice_number}", *said))

    def _show_class(self, label: int, scores: NDArray[np.float64], color: Any) -> None:
        if label not in self._curves:
            self._curves[label] = self._plot.plot(connect="finite"), pg.ScatterPlotItem(symbol="d")
            self._plot.addItem(self._curves[label][1])
        curve, marks = self._curves[label]
        wanted = np.full(3, 0.5) if color is None else np.array(color[:3], float)
        shown, text = (
            pg.mkColor(*(int(255 * part) for part in shade))
            for shade in (_legible(wanted, self._background, self._text), self._text)
        )
        curve.setData(
            self._first + np.arange(len(scores)),
            scores,
            pen=pg.mkPen(shown, width=1),
            symbol="o",
            symbolSize=4,
            symbolBrush=shown,
            symbolPen=None,
        )
        # A slice corrected by hand may have no score: its mark lies at the bottom.
        chosen = np.array(self._state.selected.get(label, ()), int)
        marks.setData(self._first + chosen, np.nan_to_num(scores[chosen]), size=11, brush=shown, pen=pg.mkPen(text))

    def _on_clicked(self, event: Any) -> None:
        number = self.slice_at(event.scenePos())
        if number is not None and event.button() == Qt.MouseButton.LeftButton:
            with_shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            (self.conditional_clicked if with_shift else self.slice_clicked).emit(number)

    def _on_hovered(self, position: QPointF) -> None:
        number = self.slice_at(position)
        text = "" if number is None else self.described(number)
        self._plot.vb.setToolTip(text)  # else Qt, after a moment without motion, takes the text away
        place = self._view.mapToGlobal(self._view.mapFromScene(position))
        QToolTip.showText(place, text, self._view)


def _legible(colour: Shade, background: Shade, text: Shade) -> Shade:
    """Mix a colour with that of the text until it stands out from the background."""
    shades = [colour + share * (text - colour) for share in np.linspace(0, 1, 11)]
    return next((shade for shade in shades if _contrast(shade, background) >= _CONTRAST), text)


def _contrast(first: Shade, second: Shade) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2, with 2.2 as the exponent of sRGB)."""
    low, high = sorted(float(shade**2.2 @ LUMINANCE) for shade in (first, second))
    return (high + 0.05) / (low + 0.05)
