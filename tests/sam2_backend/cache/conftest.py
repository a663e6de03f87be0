"""The small problem of the engine's tests."""

from __future__ import annotations

from tests.engine.conftest import query, supports

__all__ = ["query", "supports"]
