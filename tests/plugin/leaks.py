"""What a test may leave behind: threads that run, and windows, shown or hidden."""

from __future__ import annotations

import gc
import threading

from qtpy.QtCore import QEvent, QThread
from qtpy.QtWidgets import QApplication, QWidget


def running_threads() -> set[QThread | threading.Thread]:
    """Find all of Qt's that Python knows (`threading` doesn't know them), and those of ours that Python started."""
    qt = {thing for thing in gc.get_objects() if issubclass(type(thing), QThread) and thing.isRunning()}
    return qt | {thread for thread in threading.enumerate() if "revsam2" in thread.name}


def windows() -> set[QWidget]:
    """Find all widgets without a parent, hidden ones too, once Qt and Python have deleted what is to be deleted."""
    for _ in range(2):  # what one deletes may delete another
        gc.collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    return set(QApplication.topLevelWidgets())
