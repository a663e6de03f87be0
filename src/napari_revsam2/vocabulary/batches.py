"""Cutting independent work into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")


def in_batches(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """Yield ``items`` in runs of ``size``, the last one shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
