"""Scores, and what to do about them: look at the worst slice, correct it, propagate again."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_revsam2.plugin.layers.keys import AGAIN, CONDITIONAL, NEXT_WORST, PREVIOUS_WORST
from napari_revsam2.plugin.run.run_state import RunState

from .score_plot import ScorePlot
from .worst_slices import worst_slices

_HINT = "After a run: the reverse score π of each slice. Low means that the mask doesn't lead back to what you painted."


class ScoresPanel(QWidget):
    """The plot of pi, a walk through the worst slices, the conditional slices, and Propagate again.

    Attributes
    ----------
    slice_requested : Signal(int)
        A slice to show, numbered as in the query layer.
    conditional_toggled : Signal(int, int, bool)
        A class, a query slice counted from the first that was segmented, and whether it is to be conditional.
    propagate_again_requested, save_scores_requested : Signal()
        A click on the button of that name.
    """

    slice_requested = Signal(int)
    conditional_toggled = Signal(int, int, bool)
    propagate_again_requested = Signal()
    save_scores_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = RunState()
        self._first = 0
        self._current: int | None = None
        self._is_ready = False
        self._build_parts()
        self._build_layout()
        self._connect_parts()
        self._refresh()

    def _build_parts(self) -> None:
        self.plot = ScorePlot(self)
        self.hint = QLabel(_HINT, self)
        self.hint.setWordWrap(True)
        self.class_choice = QComboBox(self)
        self.class_choice.setToolTip("The class whose slices are walked through, and made conditional or not.")
        self.previous = _button(self, "Previous worst", "Show the slice with the next lower π.", PREVIOUS_WORST)
        self.next = _button(self, "Next worst", "Show the slice with the lowest π, then the next higher.", NEXT_WORST)
        self.place = QLabel(self)
        self.conditional = _button(
            self,
            "Conditional",
            "Let this slice's mask, as the result layer shows it, speak for the rest. A slice that you correct with "
            "the brush becomes conditional by itself; Shift+click in the plot does the same as this button.",
            CONDITIONAL,
        )
        self.conditional.setCheckable(True)
        self.again = _button(
            self,
            "Propagate again",
            "From the conditional slices as they are now to all others; nothing is encoded again.",
            AGAIN,
        )
        self.save = _button(self, "Save scores ...", "Write π and the chosen slices of all classes to a CSV file.")

    def _build_layout(self) -> None:
        walk, act = QHBoxLayout(), QHBoxLayout()
        for widget in (self.class_choice, self.previous, self.next):
            walk.addWidget(widget)
        walk.addWidget(self.place, stretch=1)
        for widget in (self.conditional, self.again, self.save):
            act.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(3)
        layout.addWidget(self.hint)
        layout.addWidget(self.plot, stretch=1)
        layout.addLayout(walk)
        layout.addLayout(act)

    def _connect_parts(self) -> None:
        self.plot.slice_clicked.connect(self.slice_requested)
        self.plot.conditional_clicked.connect(self._on_conditional_clicked)
        self.class_choice.currentIndexChanged.connect(self._refresh)
        self.previous.clicked.connect(self._on_previous)
        self.next.clicked.connect(self._on_next)
        self.conditional.clicked.connect(self._on_conditional_button)
        self.again.clicked.connect(self.propagate_again_requested)
        self.save.clicked.connect(self.save_scores_requested)

    @property
    def label(self) -> int | None:
        """The class that the buttons are about."""
        label = self.class_choice.currentData()
        return None if label is None else int(label)

    def show_state(self, state: RunState, colors: Mapping[int, Any], labels: tuple[int, ...], first_slice: int) -> None:
        """Show a run.

        Parameters
        ----------
        state : RunState
            Scores and conditional slices.
        colors : mapping of int to array
            RGBA (0 to 1) of each class.
        labels : tuple of int
            The classes of the run.
        first_slice : int
            Number in the query layer of the first slice that was segmented.
        """
        self._state, self._first = state, first_slice
        if labels != tuple(self.class_choice.itemData(i) for i in range(self.class_choice.count())):
            with QSignalBlocker(self.class_choice):
                self.class_choice.clear()
                for label in labels:
                    self.class_choice.addItem(f"class {label}", label)
        self.plot.show_state(state, colors, first_slice)
        self._refresh()

    def set_current(self, slice_number: int | None) -> None:
        """Tell which slice of the query layer the viewer shows; None when the layer is gone."""
        self._current = slice_number
        self.plot.set_current(slice_number)
        self._refresh()

    def set_ready(self, is_ready: bool) -> None:
        """Tell whether there is a result to act on and no run is active."""
        self._is_ready = is_ready
        self._refresh()

    def set_theme(self, theme: str) -> None:
        """Take the colours of a napari theme."""
        self.plot.set_theme(theme)

    def _refresh(self) -> None:
        chosen, index = self._chosen(), self._current_index()
        self.hint.setVisible(not self._state.scores)
        self.hint.setMinimumHeight(3 * self.hint.fontMetrics().lineSpacing())  # a splitter doesn't ask for its lines
        self.class_choice.setVisible(self.class_choice.count() > 1)
        for button in (self.previous, self.next):
            button.setEnabled(bool(self._worst()))
        self.conditional.setEnabled(self._is_ready and index is not None and self.label is not None)
        self.conditional.setChecked(index in chosen)
        self.again.setEnabled(self._is_ready and any(self._state.selected.values()))
        self.save.setEnabled(self._is_ready)
        self.place.setText(self._described(index))

    def _described(self, index: int | None) -> str:
        worst = self._worst()
        if index not in worst or self.label is None:
            return ""
        return f"π {self._state.scores[self.label][index]:.2f}, {worst.index(index) + 1} of {len(worst)}"

    def _chosen(self) -> tuple[int, ...]:
        return self._state.selected.get(self.label, ()) if self.label is not None else ()

    def _worst(self) -> tuple[int, ...]:
        if self.label is None or self.label not in self._state.scores:
            return ()
        return worst_slices(self._state.scores[self.label])

    def _current_index(self) -> int | None:
        """Find the current slice among those that were segmented."""
        if self._current is None or not 0 <= self._current - self._first < self._state.n_slices:
            return None
        return self._current - self._first

    def _on_previous(self) -> None:
        self._step(-1)

    def _on_next(self) -> None:
        self._step(1)

    def _step(self, step: int) -> None:
        worst, index = self._worst(), self._current_index()
        if not worst:
            return
        place = worst.index(index) + step if index in worst else 0
        self.slice_requested.emit(self._first + worst[min(max(place, 0), len(worst) - 1)])

    def _on_conditional_button(self) -> None:
        index = self._current_index()
        if index is not None and self.label is not None:
            self.conditional_toggled.emit(self.label, index, index not in self._chosen())

    def _on_conditional_clicked(self, slice_number: int) -> None:
        if self._is_ready and self.label is not None:
            index = slice_number - self._first
            self.conditional_toggled.emit(self.label, index, index not in self._chosen())


def _button(parent: QWidget, text: str, help_text: str, key: str = "") -> QPushButton:
    """Make a button whose key works wherever the focus is in the window."""
    button = QPushButton(text, parent)
    button.setToolTip(fill(f"{help_text} ({key})" if key else help_text, 80))
    if key:
        QShortcut(QKeySequence(key), button).activated.connect(button.click)
    return button
