"""The guard against leaks, with leaks planted."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QWidget

from napari_revsam2.plugin.run.job import Job
from napari_revsam2.plugin.run.model_thread import ModelThread

from .leaks import nothing_left_behind


def opened(is_shown: bool) -> QWidget:
    widget = QWidget()
    widget.setVisible(is_shown)
    return widget


def started() -> ModelThread:
    thread = ModelThread()
    thread.submit(Job(lambda: (_ for _ in ())))
    return thread


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_window_left_open_is_found_shown_or_hidden(is_shown):
    left = []
    with pytest.raises(AssertionError, match="left open"), nothing_left_behind():
        left.append(opened(is_shown))
    left[0].deleteLater()


def test_a_window_that_is_deleted_is_no_leak():
    with nothing_left_behind():
        opened(is_shown=True).deleteLater()


def test_a_model_thread_left_running_is_found():
    left = []
    with pytest.raises(AssertionError, match="left running"), nothing_left_behind():
        left.append(started())
    left[0].close()


def test_a_model_thread_that_is_closed_is_no_leak():
    with nothing_left_behind():
        started().close()
