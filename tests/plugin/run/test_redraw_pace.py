"""How often the window redraws itself."""

from __future__ import annotations

import time

import pytest

from napari_revsam2.plugin.run.redraw_pace import REDRAW_EVERY, REDRAW_SHARE, RedrawPace


@pytest.fixture
def pace(qapp):
    pace = RedrawPace()
    yield pace
    pace.stop()


@pytest.fixture
def redraws(pace):
    """When it was due so far."""
    times = []
    pace.due.connect(lambda: times.append(time.monotonic()))
    return times


def test_many_requests_are_one_redraw(pace, redraws, qtbot):
    for _ in range(20):
        pace.request()
    qtbot.wait(3 * REDRAW_EVERY)
    assert len(redraws) == 1


def test_a_redraw_now_answers_the_request_that_waits(pace, redraws, qtbot):
    pace.request()
    pace.redraw()
    assert len(redraws) == 1
    qtbot.wait(2 * REDRAW_EVERY)
    assert len(redraws) == 1


def test_the_slower_the_window_draws_the_longer_is_the_wait(pace, qtbot):
    assert pace.interval == REDRAW_EVERY
    pace.due.connect(lambda: time.sleep(0.01))
    pace.redraw()
    qtbot.waitUntil(lambda: pace.interval >= 10 / REDRAW_SHARE)


def test_stopped_it_redraws_no_more(pace, redraws, qtbot):
    pace.request()
    pace.stop()
    qtbot.wait(2 * REDRAW_EVERY)
    assert redraws == []
