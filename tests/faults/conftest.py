"""Faults need processes that can be forked, which Windows lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]
else:
    from .jobs import CACHE, prepare


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the jobs read, an empty folder for what they write, and their cache, which is also the test's."""
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path / "job" / CACHE))
    return prepare(tmp_path / "job")
