"""Small patients, drawn in a moment."""

from __future__ import annotations

import pytest


@pytest.fixture
def small_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label volumes of half the side."""
    monkeypatch.setattr("training.anatomy.GRID", (40, 56, 56))
