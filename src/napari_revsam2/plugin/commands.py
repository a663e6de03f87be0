"""Commands of napari's palette: each clicks a button of the open widget.

Their keys belong to the widget (`scores_panel`, `input_form`): napari 0.9 gives commands of plugins none.
"""

from __future__ import annotations

from collections.abc import Callable

from napari import Viewer
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QPushButton

from .dock_widget import RevSAM2Widget


def run(viewer: Viewer) -> None:
    """Run, or cancel the run that goes on."""
    _click(viewer, lambda widget: widget.form.run_bar.button)


def next_worst(viewer: Viewer) -> None:
    """Show the slice with the next higher score."""
    _click(viewer, lambda widget: widget.scores.next)


def previous_worst(viewer: Viewer) -> None:
    """Show the slice with the next lower score."""
    _click(viewer, lambda widget: widget.scores.previous)


def toggle_conditional(viewer: Viewer) -> None:
    """Make the current slice conditional, or not."""
    _click(viewer, lambda widget: widget.scores.conditional)


def propagate_again(viewer: Viewer) -> None:
    """Propagate from the conditional slices as they are now."""
    _click(viewer, lambda widget: widget.scores.again)


def _click(viewer: Viewer, button_of: Callable[[RevSAM2Widget], QPushButton]) -> None:
    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, RevSAM2Widget):
            button = button_of(widget)
            if not button.isEnabled():
                show_info(f'"{button.text()}" has nothing to do now.')
            button.click()
            return
    show_info("Open the widget first: Plugins > RevSAM2.")
