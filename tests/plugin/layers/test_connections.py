"""Connections to napari's events."""

from __future__ import annotations

import gc
import weakref

import pytest
from napari.utils.events import EmitterGroup

from napari_revsam2.plugin.layers.connections import Connections


class Listener:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.heard = []

    def on_event(self, event) -> None:
        self.heard.append(event.type)

    def on_other_event(self, event) -> None:
        self.heard.append(f"other {event.type}")


@pytest.fixture
def events() -> EmitterGroup:
    return EmitterGroup(moved=None, painted=None)


def test_closed_nothing_is_heard_any_more(events):
    listener, connections = Listener(), Connections()
    connections.connect(events.moved, listener.on_event)
    connections.connect(events.painted, listener.on_event)
    connections.connect(events.painted, listener.on_other_event)
    events.moved()
    events.painted()
    assert sorted(listener.heard) == ["moved", "other painted", "painted"]
    connections.close()
    connections.close()
    events.moved()
    events.painted()
    assert len(listener.heard) == 3


def test_one_emitter_is_cut_and_the_other_still_heard(events):
    listener, connections = Listener(), Connections()
    connections.connect(events.moved, listener.on_event)
    connections.connect(events.painted, listener.on_event)
    connections.cut(events.moved)
    events.moved()
    events.painted()
    assert listener.heard == ["painted"]


def test_others_that_listen_to_the_same_emitter_still_hear(events):
    listener, other, connections = Listener(), Listener(), Connections()
    connections.connect(events.moved, listener.on_event)
    events.moved.connect(other.on_event)
    connections.close()
    events.moved()
    assert (listener.heard, other.heard) == ([], ["moved"])


def test_a_listener_that_is_gone_is_neither_kept_nor_called(events):
    listener, connections = Listener(), Connections()
    connections.connect(events.moved, listener.on_event)
    reference = weakref.ref(listener)
    del listener
    gc.collect()
    assert reference() is None
    connections.close()
    events.moved()
