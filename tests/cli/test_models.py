"""``napari-revsam2 models``: lists, downloads, finds and removes checkpoints."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_revsam2.cli import main
from napari_revsam2.sam2_backend.checkpoints.bundled import REVSAM2_MINI
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint, checkpoint_folder
from tests.sam2_backend.checkpoints.checkpoint_server import serving

NAME = "sam2.1-hiera-tiny"


@pytest.fixture
def checkpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[PublishedCheckpoint]:
    """SAM 2.1 tiny as if it were a small file on a local server."""
    monkeypatch.delenv("NAPARI_REVSAM2_OFFLINE", raising=False)
    content = b"weights"
    with serving(content) as server:
        published = replace(PUBLISHED[NAME], urls=(server.url,), sha256=hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(PUBLISHED, NAME, published)
        yield published


def test_the_command_lists_downloads_finds_and_removes(
    checkpoint: PublishedCheckpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "download", NAME]) == 0
    assert capsys.readouterr().out.strip() == str(checkpoint.path)
    assert main(["models", "list"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert list(rows) == ["revsam2-mini", *PUBLISHED]
    assert " yes " in rows[NAME]
    assert " no " in rows["sam2-hiera-tiny"]
    assert main(["models", "where", NAME]) == 0
    assert capsys.readouterr().out.strip() == str(checkpoint.path)
    assert main(["models", "remove", NAME]) == 0
    assert not checkpoint.is_available
    assert main(["models", "remove", NAME]) == 2
    assert "hasn't been downloaded: there is nothing to remove" in capsys.readouterr().err


def test_without_a_name_the_folder_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "where"]) == 0
    assert capsys.readouterr().out.strip() == str(checkpoint_folder())


def test_the_part_of_a_download_that_broke_off_is_removed_too(checkpoint: PublishedCheckpoint) -> None:
    part = checkpoint.path.with_name(checkpoint.path.name + ".part")
    part.parent.mkdir()
    part.touch()
    assert main(["models", "remove", NAME]) == 0
    assert not part.exists()


def test_the_list_knows_size_and_licence_of_the_weights_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("revsam2-mini"))
    with REVSAM2_MINI.on_disk() as path:
        assert f" {path.stat().st_size / 10**6:.0f} MB " in row
    assert row.rstrip().endswith("BSD-3-Clause")


@pytest.mark.parametrize("action", ["download", "where", "remove"])
def test_a_name_that_is_nearly_known_is_answered_with_those_that_are_near(
    action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", action, "sam2-hiera-tini"]) == 2
    told = capsys.readouterr().err
    assert "did you mean sam2-hiera-tiny or sam2.1-hiera-tiny" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("function", ["unlink", "stat"])
def test_a_file_that_cannot_be_removed_is_one_sentence(
    function: str,
    checkpoint: PublishedCheckpoint,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    assert main(["models", "download", NAME]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(Path, function, refuse)
        code = main(["models", "remove", NAME])
    assert code == 2
    told = capsys.readouterr().err
    assert f"{checkpoint.path} can't be removed (Permission denied)" in told
    assert told.count("\n") == 1
