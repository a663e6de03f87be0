"""Connections to napari's events that can be cut all at once: napari must not call a widget that is gone.

napari's own ``disconnect_events`` needs the listener, which a slot of ``destroyed`` would then keep alive for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod


class Connections:
    """Connected callbacks, held weakly: being listed here keeps nothing alive."""

    def __init__(self) -> None:
        self._connected: list[tuple[Any, WeakMethod[Callable[[Any], None]]]] = []

    def connect(self, emitter: Any, callback: Callable[[Any], None]) -> None:
        """Call the bound method ``callback`` at each event of a napari ``emitter``."""
        emitter.connect(callback)
        self._connected.append((emitter, WeakMethod(callback)))

    def cut(self, emitter: Any) -> None:
        """Cut the connections to one emitter, if there are any."""
        for connected, reference in self._connected:
            if connected is emitter and (callback := reference()) is not None:
                emitter.disconnect(callback)
        self._connected = [pair for pair in self._connected if pair[0] is not emitter]

    def close(self) -> None:
        """Cut all connections; once is enough, twice does no harm."""
        for emitter in {id(connected): connected for connected, _ in self._connected}.values():
            self.cut(emitter)
