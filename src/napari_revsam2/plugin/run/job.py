"""One computation for the model thread: a whole run, or only the propagation from settled masks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Event as Flag

from napari_revsam2.engine.events import Event
from napari_revsam2.engine.pipeline import propagate_again, run_revsam2
from napari_revsam2.engine.propagator import Mask

from .networks import KeptNetwork
from .run_request import RunRequest


@dataclass(frozen=True, eq=False)
class Job:
    """One computation.

    Attributes
    ----------
    events : callable
        Returns the generator of its events; called, consumed and closed on the model thread.
    afterwards : callable
        Called there when it has ended, in whichever way, and what it held is free.
    """

    events: Callable[[], Generator[Event, None, None]]
    afterwards: Callable[[], None] = lambda: None
    _canceled: Flag = field(default_factory=Flag)

    def cancel(self) -> None:
        """Ask it to end at its next event."""
        self._canceled.set()

    @property
    def is_canceled(self) -> bool:
        """Whether it has been asked to end."""
        return self._canceled.is_set()


def whole_run(network: KeptNetwork, request: RunRequest) -> Job:
    """Segment the query of ``request``."""
    return Job(partial(_run, network, request), network.release_unused)


def propagation(network: KeptNetwork, request: RunRequest, masks: Mapping[int, Mapping[int, Mask]]) -> Job:
    """Propagate from the masks (H, W) of each class's conditional slices, by query index."""
    return Job(partial(_propagate, network, request, masks), network.release_unused)


def _run(network: KeptNetwork, request: RunRequest) -> Generator[Event, None, None]:
    with network.dropped_if_too_large():
        propagator = network.for_run(request.config, request.slices.data)
        yield from run_revsam2(propagator, request.supports, request.query, request.config, request.labels)


def _propagate(
    network: KeptNetwork, request: RunRequest, masks: Mapping[int, Mapping[int, Mask]]
) -> Generator[Event, None, None]:
    with network.dropped_if_too_large():
        propagator = network.for_run(request.config, request.slices.data)
        yield from propagate_again(propagator, request.query, masks, request.config)
