"""Memory that can be taken, as Linux and its containers tell it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from napari_revsam2.volume_files import available_memory as module
from napari_revsam2.volume_files.available_memory import available_memory


def tell(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    monkeypatch.setattr(module, "_MEMINFO", folder / "meminfo")
    monkeypatch.setattr(module, "_CONTAINER", folder)


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({}, None),
        ({"meminfo": "nothing known"}, None),
        ({"meminfo": "MemTotal: 99 kB\nMemAvailable:   20 kB\n"}, 20 * 1024),
        ({"meminfo": "MemAvailable: 20 kB\n", "memory_max": "max\n", "memory_stat": "anon 1000\n"}, 20 * 1024),
        ({"meminfo": "MemAvailable: 20 kB\n", "memory_max": "9000\n", "memory_stat": "anon 1000\nfile 7\n"}, 8000),
        ({"meminfo": "MemAvailable: 2 kB\n", "memory_max": "9000\n", "memory_stat": "anon 1000\n"}, 2 * 1024),
        ({"meminfo": "MemAvailable: 20 kB\n", "memory_max": "9000\n"}, 20 * 1024),
    ],
)
def test_the_smaller_of_the_machines_and_the_containers_counts(files, available, tmp_path, monkeypatch):
    tell(tmp_path, monkeypatch, **files)
    assert available_memory() == available


@pytest.mark.skipif(sys.platform != "linux", reason="known on Linux alone")
def test_this_machine_tells_its_memory():
    assert available_memory() > 2**20
