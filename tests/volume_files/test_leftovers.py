"""Hidden files that writers left behind which were killed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from napari_revsam2.volume_files import replaced_file

HOUR = 3600


def written(path: Path, age: float) -> Path:
    path.touch()
    os.utime(path, (0, time.time() - age))
    return path


def test_the_next_writer_sweeps_them_from_the_same_folder_once_they_are_nobodys(tmp_path: Path) -> None:
    old = written(tmp_path / ".napari-revsam2-0123456789abcdef.nii.gz", 48 * HOUR)
    young = written(tmp_path / ".napari-revsam2-fedcba9876543210.nii.gz", HOUR)
    users = written(tmp_path / ".napari-revsam2-notes.nii.gz", 48 * HOUR)
    with replaced_file(tmp_path / "mask.nii.gz") as temporary:
        temporary.write_bytes(b"mask")
    assert not old.exists()
    assert young.exists()
    assert users.exists()
    assert (tmp_path / "mask.nii.gz").read_bytes() == b"mask"


def test_one_that_cannot_be_removed_stops_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / ".napari-revsam2-0123456789abcdef.csv", 48 * HOUR)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    with replaced_file(tmp_path / "scores.csv") as temporary:
        temporary.write_bytes(b"scores")
    assert (tmp_path / "scores.csv").read_bytes() == b"scores"
