"""Ties to napari's events that can be cut all at once: napari must not call a widget that is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod


class Connections:
    """Connected callbacks, held weakly: being listed here keeps nothing alive."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, WeakMethod[Callable[[Any], None]]]] = []

    def connect(self, emitter: Any, callback: Callable[[Any], None]) -> None:
        """Call the bound method ``callback`` at each event of a napari ``emitter``."""
        emitter.connect(callback)
        self._made.append((emitter, WeakMethod(callback)))

    def cut(self, emitter: Any) -> None:
        """Cut the ties to one emitter, if there are any."""
        for tied, reference in self._made:
            if tied is emitter and (callback := reference()) is not None:
                emitter.disconnect(callback)
        self._made = [tie for tie in self._made if tie[0] is not emitter]

    def close(self) -> None:
        """Cut all ties; once is enough, twice does no harm."""
        for emitter in {id(tied): tied for tied, _ in self._made}.values():
            self.cut(emitter)
