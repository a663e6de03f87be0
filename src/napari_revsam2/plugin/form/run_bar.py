"""The Run button, what stands in its way, and how far a run is."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

_LINES = 3
"""Of text that there is always room for, so that Cancel doesn't move away under the mouse."""


class RunBar(QWidget):
    """One button, which becomes Cancel while a run is active, a sentence beside it, and a progress bar.

    Attributes
    ----------
    run_clicked, cancel_clicked : Signal()
        What the click meant.
    """

    run_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_running = False
        self._problem = ""
        self._message = ""
        self._build()
        self.button.clicked.connect(self._on_clicked)
        self._show()

    def _build(self) -> None:
        self.button = QPushButton("Run", self)
        self.button.setMinimumWidth(80)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(8)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        layout = self._layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self.button, 0, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.text, 0, 1)
        layout.addWidget(self.progress, 1, 0, 1, 3)

    def add_corner(self, widget: QWidget) -> None:
        """Put something at the right of the button's line."""
        self._layout.addWidget(widget, 0, 2, Qt.AlignmentFlag.AlignTop)

    def set_problem(self, problem: str) -> None:
        """Say why nothing can be run, in one sentence; empty if it can."""
        self._problem = problem
        self._show()

    def set_running(self, is_running: bool) -> None:
        """Say whether a run is active."""
        if is_running != self._is_running:
            self._is_running = is_running
            self._message = ""
            self.progress.setRange(0, 1)
            self.progress.setValue(0)
        self._show()

    def set_progress(self, text: str, done: int, total: int) -> None:
        """Show how far a run is; ``total`` 0 where nobody knows: the bar is empty, as an animated one slows the run."""
        self._message = text
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)
        self._show()

    def show_message(self, text: str) -> None:
        """Say something; it stays until the next run begins."""
        self._message = text
        self._show()

    def _show(self) -> None:
        said = [self._message] if self._is_running else [self._message, self._problem]
        self.text.setText("\n".join(filter(None, said)))
        self.text.setMinimumHeight(_LINES * self.text.fontMetrics().lineSpacing())  # in napari's font, by now
        self.button.setText("Cancel" if self._is_running else "Run")
        self.button.setToolTip("End the run; what is there stays." if self._is_running else "Segment the query.")
        self.button.setEnabled(self._is_running or not self._problem)
        self.progress.setVisible(self._is_running)

    def _on_clicked(self) -> None:
        (self.cancel_clicked if self._is_running else self.run_clicked).emit()
