"""The README's picture of the window: the sample data, one click on Run, the result.

    python -m docs.screenshots --output docs

Needs a screen (``xvfb-run`` makes one). `tests/plugin/test_window.py` goes the same way and looks at the picture.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from napari import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

from napari_revsam2.plugin.dock_widget import RevSAM2Widget

PLUGIN, SAMPLE = "napari-revsam2", "hippocampus"
WIDTH, HEIGHT = 1280, 800


def window_with_sample() -> tuple[Viewer, RevSAM2Widget]:
    """Open napari as ``napari -w napari-revsam2`` does, then the sample data."""
    viewer = Viewer(show=True)
    viewer.window.resize(WIDTH, HEIGHT)
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN)
    viewer.open_sample(PLUGIN, SAMPLE)
    assert isinstance(widget, RevSAM2Widget)
    return viewer, widget


def run_to_the_end(widget: RevSAM2Widget, seconds: float = 300) -> None:
    """Click Run and wait for the ending."""
    until(lambda: widget.form.run_bar.button.isEnabled(), 10)
    widget.form.run_bar.button.click()
    until(lambda: not widget.controller.state.phase.is_active, seconds)


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Let the window live until ``condition`` holds.

    Raises
    ------
    TimeoutError
        When it doesn't come true.
    """
    loop, timer = QEventLoop(), QTimer()
    deadline = time.monotonic() + seconds
    timer.timeout.connect(lambda: (condition() or time.monotonic() > deadline) and loop.quit())
    timer.start(20)
    if not condition():
        loop.exec()
    timer.stop()
    if not condition():
        raise TimeoutError(f"nothing happened in {seconds:g} s")


def picture(viewer: Viewer) -> NDArray[np.uint8]:
    """Take a picture of the whole window, (H, W, 4), after it has settled."""
    settled = time.monotonic() + 0.5
    until(lambda: time.monotonic() > settled, 2)
    return viewer.window.screenshot(size=None, flash=False, canvas_only=False)


def main(output: Path) -> None:
    """Write ``window_dark.png``."""
    from matplotlib.pyplot import imsave

    viewer, widget = window_with_sample()
    run_to_the_end(widget)
    viewer.dims.set_point(0, viewer.layers["hippocampus_006"].data_to_world((12, 0, 0))[0])
    imsave(output / "window_dark.png", picture(viewer))
    viewer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    main(arguments.output)
