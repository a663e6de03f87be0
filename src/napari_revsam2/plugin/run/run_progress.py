"""A run in words, and as a bar in napari's activity dock."""

from __future__ import annotations

from napari.utils import progress
from qtpy.QtWidgets import QLabel, QWidget

from napari_revsam2.engine.events import Stage

from .run_state import Phase, RunState


def described(state: RunState, seconds_left: float | None = None) -> str:
    """Say in one line where a run is, or how it ended."""
    match state.phase:
        case Phase.IDLE:
            return ""
        case Phase.RUNNING:
            return _stage(state, seconds_left)
        case Phase.CANCELING:
            return "Canceling ..."
        case Phase.COMPLETED:
            return " ".join(("Done.", *state.notices))
        case Phase.CANCELED:
            return state.message or "Canceled. The slices that were reached are kept, marked as partial."
    return state.message


def _stage(state: RunState, seconds_left: float | None) -> str:
    if state.stage is None:
        return "Loading the model ..."
    of_class = f", class {state.label}" if state.label is not None else ""
    rest = f", about {max(1, round(seconds_left))} s left in this stage" if seconds_left is not None else ""
    return f"{state.stage.description}{of_class}: {state.done} of {state.total}{rest}"


_CALM = 3
"""Percent of its speed at which napari's spinner turns during a run.

It repaints 33 times a second. Under a software renderer each repaint composes the whole window, which takes a core from
the model: a run on two cores took up to twice its time (seen in runs by hand).
"""


class ActivityBar:
    """The bar in napari's activity dock; there from the start of a run to its end.

    Parameters
    ----------
    widget : QWidget
        A widget of the window in which the spinner turns meanwhile.
    """

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._bar: progress | None = None
        self._stage: Stage | None = None

    def show(self, state: RunState) -> None:
        """Follow a run."""
        if not state.phase.is_active:
            self.close()
            return
        if self._bar is None:
            self._set_spinner(_CALM)
            self._bar, self._stage = progress(desc="RevSAM2", total=state.n_slices), None
        bar = self._bar
        if state.stage is not None and state.stage is not self._stage:
            self._stage = state.stage
            bar.set_description(f"RevSAM2: {state.stage.description}")  # runs the event loop: the run may end in it
        if bar is self._bar:
            bar.total = max(state.total, 1)  # a total of 0 is an animation, too
            bar.update(state.done - bar.n)

    def close(self) -> None:
        """Take the bar away."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
            self._set_spinner(100)

    def _set_spinner(self, percent: int) -> None:
        window = self._widget.window()
        for label in window.findChildren(QLabel) if window is not None else ():
            if (movie := label.movie()) is not None:
                movie.setSpeed(percent)
