"""Size and shape of the code: lengths of files and functions, imports between the parts of each wing, weight of tests.

``python -m benchmarks.structure`` measures this checkout; ``--root FOLDER`` another one.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import numpy as np

PACKAGE = "napari_revsam2"
WINGS = ("plugin", "evaluation", "sam2_backend")


def main() -> None:
    """Print one table for source and tests, and one for the wings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="a checkout of the repository")
    root = parser.parse_args().root
    sys.path.insert(0, str(root / "src"))  # another checkout than the installed one
    source, tests = _files(root / "src"), _files(root / "tests")
    print("| what | files | median lines | longest | functions, 90 % below | longest function |")
    print("|---|---|---|---|---|---|")
    for name, files in (("src", source), ("tests", tests)):
        lines, functions = [len(_lines(file)) for file in files], [n for file in files for n in _function_lengths(file)]
        print(
            f"| {name} | {len(files)} | {np.median(lines):.0f} | {max(lines)} | {np.percentile(functions, 90):.0f} | "
            f"{max(functions)} |"
        )
    print(f"\ntest bytes over source bytes: {_bytes(tests) / _bytes(source):.2f}\n")
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    print("| wing | parts | imports between parts | levels |\n|---|---|---|---|")
    for wing in WINGS:
        needs = _imports_between_parts(graph, f"{PACKAGE}.{wing}")
        print(f"| {wing} | {len(needs)} | {sum(map(len, needs.values()))} | {_levels(needs)} |")


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*.py") if _lines(file))


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _bytes(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _function_lengths(file: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1


def _imports_between_parts(graph: grimp.ImportGraph, package: str) -> dict[str, set[str]]:
    """For each part of a package, file or folder, the other parts that it imports."""
    parts = sorted(graph.find_children(package))
    return {
        part: {
            other
            for other in parts
            if other != part and graph.direct_import_exists(importer=part, imported=other, as_packages=True)
        }
        for part in parts
    }


def _levels(needs: dict[str, set[str]]) -> int:
    """Length of the longest chain of imports; raises `graphlib.CycleError` where imports go round."""
    level: dict[str, int] = {}
    for part in TopologicalSorter(needs).static_order():
        level[part] = 1 + max((level[other] for other in needs[part]), default=0)
    return max(level.values())


if __name__ == "__main__":
    main()
