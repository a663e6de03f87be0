"""A volume that is read one slice at a time."""

from __future__ import annotations

from typing import Any, Protocol


class SliceStack(Protocol):
    """Slices read one at a time: an (M, H, W) array, or anything that indexes like one."""

    def __len__(self) -> int:
        """Count the slices (M)."""

    def __getitem__(self, index: int, /) -> Any:
        """Read slice ``index``: (H, W) grey values."""
