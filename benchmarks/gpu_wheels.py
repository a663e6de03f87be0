"""Carry to a machine without network what it lacks: wheels of all that the tests and figures of a GPU need.

    python -m benchmarks.gpu_wheels [FOLDER] [--python 3.12]     with Python 3.11 or newer

Collects, in the versions of this environment, what napari-revsam2 needs (its base dependencies and what these need)
except for `ON_THE_MACHINE`, which an environment with PyTorch has; what is published as source only is built. Qt is
reduced to the part that a thread without a window needs. `benchmarks/gpu.sh` installs the folder there.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
ON_THE_MACHINE = {
    *("build", "filelock", "matplotlib", "numpy", "packaging", "pillow", "portalocker", "pytest", "pyyaml", "requests"),
    *("rich", "safetensors", "scipy", "setuptools", "tifffile", "torch", "torchvision", "tqdm", "typer"),
    "typing-extensions",
}
"""Not carried; what they need isn't, either."""
SOURCE_ONLY = ("antlr4-python3-runtime", "iopath", "sam2")
PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(39, 16, -1)), "manylinux2014_x86_64")
QT = ("PyQt6", "PyQt6-Qt6", "PyQt6-sip")
QT_PARTS = (
    "PyQt6/__init__.py",
    "PyQt6/QtCore.abi3.so",
    "libQt6Core.so.6",
    "libicui18n.so.*",
    "libicuuc.so.*",
    "libicudata.so.*",
)
"""What stays of Qt's wheels; `PyQt6-sip` stays as it is."""


def needed() -> dict[str, str]:
    """Names and versions here of the base dependencies, QtPy and what these need, but for what is on the machine."""
    found: dict[str, str] = {}
    dependencies = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    waiting = ["qtpy", *(Requirement(text).name for text in dependencies)]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found or name in ON_THE_MACHINE:
            continue
        package = distribution(name)
        found[name] = package.version
        requirements = [Requirement(text) for text in package.requires or []]
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def collect(folder: Path, python: str) -> None:
    """Download and build the wheels into ``folder``."""
    wanted = [f"{name}=={version}" for name, version in needed().items()]
    built = [text for text in wanted if text.partition("==")[0] in SOURCE_ONLY]
    _pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), *built)
    _download(folder, python, [text for text in wanted if text not in built])
    with tempfile.TemporaryDirectory() as whole:
        _download(Path(whole), python, [f"{name}=={distribution(name).version}" for name in QT])
        for wheel in Path(whole).glob("*.whl"):
            _reduced(wheel, folder)


def _download(folder: Path, python: str, wanted: list[str]) -> None:
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    kind = ["--only-binary=:all:", f"--python-version={python}", "--implementation=cp", *platforms]
    _pip("download", "--no-deps", *kind, "-d", str(folder), *wanted)


def _reduced(wheel: Path, folder: Path) -> None:
    """Put a wheel of Qt into ``folder``, of its libraries only `QT_PARTS`."""
    if "sip" in wheel.name:
        shutil.copy(wheel, folder)
        return
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "wheel", "unpack", "-d", place, str(wheel)], check=True)
        (content,) = Path(place).iterdir()
        for file in [file for file in content.rglob("*") if file.is_file()]:
            if not file.match("*.dist-info/*") and not any(file.match(part) for part in QT_PARTS):
                file.unlink()
        subprocess.run([sys.executable, "-m", "wheel", "pack", "-d", str(folder), str(content)], check=True)


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments, "--quiet"], check=True)


def main() -> None:
    """Read the command line, and collect."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".whl"))
    parser.add_argument("--python", default="3.12", help="version of Python on the machine")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    collect(options.folder, options.python)
    size = sum(file.stat().st_size for file in options.folder.iterdir())
    print(f"{len(list(options.folder.iterdir()))} wheels, {size / 2**20:.1f} MiB, in {options.folder}")


if __name__ == "__main__":
    main()
