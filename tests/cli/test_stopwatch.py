"""Seconds by stage."""

from __future__ import annotations

import time

import pytest

from napari_revsam2.cli.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_times_of_a_name_add_up(clock):
    stopwatch = Stopwatch()
    for name, seconds in [("read", 2.0), ("embed", 5.0), ("read", 1.5)]:
        with stopwatch.running(name):
            clock[0] += seconds
        clock[0] += 10  # counts for nothing
    assert stopwatch.seconds == {"read": 3.5, "embed": 5.0}


def test_what_fails_is_counted_too(clock):
    def fail():
        clock[0] += 3
        raise ValueError

    stopwatch = Stopwatch()
    with pytest.raises(ValueError), stopwatch.running("read"):  # noqa: PT011 - its own
        fail()
    assert stopwatch.seconds == {"read": 3.0}
