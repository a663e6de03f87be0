"""A number out of those that there are, such as N of the painted slices."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QSpinBox, QWidget


class CountChoice(QWidget):
    """A spin box that says "of 12".

    With fewer to choose from it shows fewer, and what the user wants again when there are enough.

    Parameters
    ----------
    minimum, wanted : int
        The least, and the number to begin with.
    parent : QWidget, optional
        Where it is.

    Attributes
    ----------
    wanted : int
        The number the user wants.
    changed : Signal()
        The user chose another number.
    """

    changed = Signal()

    def __init__(self, minimum: int, wanted: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = wanted
        self.box = QSpinBox(self)
        self.box.setRange(minimum, minimum)
        self.box.valueChanged.connect(self._on_value_changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)

    @property
    def native(self) -> QWidget:
        """The Qt widget."""
        return self

    @property
    def value(self) -> int:
        """The number that the user wants; `resolve` bounds it as the box does."""
        return self.wanted

    @value.setter
    def value(self, wanted: int) -> None:
        """Show the number, or the nearest that is offered; it is remembered as wanted."""
        self.wanted = max(wanted, self.box.minimum())
        with QSignalBlocker(self.box):
            self.box.setValue(self.wanted)

    def offer(self, available: int) -> None:
        """Say how many there are."""
        with QSignalBlocker(self.box):
            self.box.setMaximum(max(self.box.minimum(), available))
            self.box.setValue(self.wanted)
            self.box.setSuffix(f" of {available}" if available else "")
        self.box.setEnabled(available > 0)

    def _on_value_changed(self, number: int) -> None:
        self.wanted = number
        self.changed.emit()
