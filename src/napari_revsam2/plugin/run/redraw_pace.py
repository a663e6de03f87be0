"""How often the window redraws itself during a run: the slower it draws, the less often."""

from __future__ import annotations

import time

from qtpy.QtCore import QObject, QTimer, Signal

REDRAW_EVERY = 50
"""Milliseconds, at least, between two updates of what the window shows."""
REDRAW_SHARE = 0.03
"""Share of the time, at most, in which the window redraws itself during a run.

Where drawing is slow it takes a core from the model: under a software renderer an update took some 50 ms, and with 20
a second (and the spinner of `run_progress`) a run on two cores took twice its time (seen in runs by hand).
"""


class RedrawPace(QObject):
    """Decides when it is time to redraw.

    Attributes
    ----------
    due : Signal()
        Redraw now.
    """

    due = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wait = _single_shot(self)
        self._wait.setInterval(REDRAW_EVERY)
        self._wait.timeout.connect(self.redraw)
        self._painted = _single_shot(self)  # with no interval: it comes after the window has painted
        self._painted.timeout.connect(self._on_painted)
        self._began = 0.0

    @property
    def interval(self) -> int:
        """Milliseconds between a request and its redraw."""
        return self._wait.interval()

    def request(self) -> None:
        """Redraw when enough time has passed."""
        if not self._wait.isActive():
            self._wait.start()

    def redraw(self) -> None:
        """Redraw now; a request that waits is done with."""
        self._wait.stop()
        self._began = time.monotonic()
        self._painted.start()
        self.due.emit()

    def stop(self) -> None:
        """Drop what was requested."""
        self._wait.stop()
        self._painted.stop()

    def _on_painted(self) -> None:
        """Wait longer before the next update, the longer this one took."""
        took = time.monotonic() - self._began
        self._wait.setInterval(max(REDRAW_EVERY, round(1000 * took / REDRAW_SHARE)))


def _single_shot(parent: QObject) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    return timer
