"""One class of the small problem, ready for a stage."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from napari_revsam2.engine.class_task import ClassTask
from napari_revsam2.engine.problem import QueryVolume, SupportSet

from .conftest import BRIGHT
from .fake_propagator import FakePropagator


def task_of(network: FakePropagator, supports: SupportSet, query: QueryVolume, label: int = BRIGHT) -> ClassTask:
    """Put a task together; the fake network's embeddings are the images."""
    slices = supports.painted_with(label)
    images = [support.image for support in slices]
    return ClassTask(network, label, slices, images, list(query.slices), query.shape[1:])


def returned(steps: Generator[Any, None, Any]) -> tuple[list[Any], Any]:
    """Consume a generator; what it yielded and what it returned."""
    yielded = []
    while True:
        try:
            yielded.append(next(steps))
        except StopIteration as end:
            return yielded, end.value
