"""The house rules that a machine can check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import napari_revsam2

ROOT = Path(__file__).parents[1]


def test_imports_point_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, napari_revsam2, napari_revsam2.engine.pipeline; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [n for n in napari_revsam2.__all__ if not n.startswith("_")])
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(napari_revsam2, name) is not None


def test_an_unknown_public_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'magic'"):
        _ = napari_revsam2.magic
