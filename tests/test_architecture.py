"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import napari_revsam2

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py*"))


def test_imports_point_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_importing_the_package_and_the_engine_loads_no_torch() -> None:
    code = "import sys, napari_revsam2, napari_revsam2.engine; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def homes() -> dict[str, str]:
    """Public names, each with the module that the stub takes it from."""
    stub = ast.parse(Path(napari_revsam2.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"napari_revsam2.{node.module}" for node in imports for alias in node.names}


@pytest.mark.parametrize(("name", "home"), homes().items())
def test_every_public_name_comes_from_where_it_is_defined(name: str, home: str) -> None:
    assert getattr(napari_revsam2, name).__module__ == home


def test_the_public_names_are_listed() -> None:
    assert dir(napari_revsam2) == sorted(napari_revsam2.__all__) == sorted(homes())


def test_an_unknown_public_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="magic"):
        _ = napari_revsam2.magic


def undocumented(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """What has no docstring of a module, its public classes and functions, and their public methods."""
    if not ast.get_docstring(node):
        yield getattr(node, "name", "the module itself")
    for inside in () if isinstance(node, ast.FunctionDef) else node.body:
        if isinstance(inside, ast.ClassDef | ast.FunctionDef) and not inside.name.startswith("_"):
            yield from undocumented(inside)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT / "src").as_posix())
def test_every_public_name_has_a_docstring(path: Path) -> None:
    assert list(undocumented(ast.parse(path.read_text(encoding="utf-8")))) == []
