"""The checkpoint that ships with the package."""

from __future__ import annotations

from napari_revsam2.sam2_backend.checkpoints.bundled import REVSAM2_MINI


def test_its_file_is_on_disk_and_small() -> None:
    with REVSAM2_MINI.on_disk() as path:
        assert 0 < path.stat().st_size < 20e6


def test_it_has_the_licence_of_the_package_and_its_size() -> None:
    assert REVSAM2_MINI.licence == "BSD-3-Clause"
    with REVSAM2_MINI.on_disk() as path:
        assert abs(REVSAM2_MINI.megabytes - path.stat().st_size / 1e6) <= 0.5
