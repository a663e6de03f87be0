"""What a test may leave behind: windows, shown or hidden, and the model thread at work."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QMenu, QWidget

from napari_revsam2.plugin.run.model_thread import ModelThread


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Fail when what is opened or started inside is still there at the end."""
    before, started = _windows(), WeakSet()
    with pytest.MonkeyPatch.context() as patch:
        start = ModelThread.start
        patch.setattr(ModelThread, "start", lambda thread: (started.add(thread), start(thread)))
        yield
    # Qt's threads aren't in `threading.enumerate()`.
    running = [thread for thread in started if isalive(thread) and thread.isRunning()]
    assert not running, f"left running: {running}"
    gc.collect()  # on this thread: Qt's objects mustn't be deleted on the model thread of a later test
    left = _windows() - before
    if left:  # what one deletes may delete another
        gc.collect()
        left = _windows() - before
    assert not left, f"left open: {left}"


def _windows() -> set[QWidget]:
    """Widgets without a parent, hidden ones too; pyqtgraph's plots keep menus that they never show."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    return {widget for widget in QApplication.topLevelWidgets() if not isinstance(widget, QMenu)}
