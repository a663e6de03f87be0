"""What embeddings take on disk, seen and cleared from the command line."""

from __future__ import annotations

import errno
import io
import os
import sys

import pytest

from napari_revsam2.cli import main
from napari_revsam2.sam2_backend.cache.cache_folder import embedding_files, embeddings_folder


def test_the_cache_is_shown_and_cleared(files, capsys):
    assert main(["cache"]) == 0
    assert "0 slices, 0.000 GB of 20 GB" in capsys.readouterr().out
    assert main(files.arguments()) == 0
    count = len(embedding_files())
    assert count > 0
    capsys.readouterr()
    assert main(["cache", "show"]) == 0
    shown = capsys.readouterr().out
    assert str(embeddings_folder()) in shown
    assert f"{count} slices" in shown
    assert main(["cache", "clear"]) == 0
    assert f"{count} slices removed" in capsys.readouterr().out
    assert not embedding_files()


def test_a_name_that_the_pipe_cannot_encode_is_printed_with_escapes(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path / "Körper"))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert main(["cache"]) == 0
    sys.stdout.flush()
    assert b"K\\xf6rper" in sys.stdout.buffer.getvalue()


def test_a_limit_that_is_no_number_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", "lots")
    assert main(["cache"]) == 2
    assert "isn't a number" in capsys.readouterr().err


@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.EISDIR])
def test_a_folder_that_cannot_be_cleared_is_one_sentence(error, monkeypatch, capsys):
    def refuse(*_, **__):
        raise OSError(error, os.strerror(error))

    (embeddings_folder() / "network").mkdir(parents=True)
    (embeddings_folder() / "network" / "a.safetensors").touch()
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert main(["cache", "clear"]) == 2
    assert "1 slices in" in (told := capsys.readouterr().err)
    assert told.count("\n") == 1


@pytest.mark.parametrize("action", ["show", "clear"])
def test_a_folder_that_may_not_be_looked_into_is_one_sentence(action, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    assert main(["cache", action]) == 2
    assert "can't be read (Permission denied)" in (told := capsys.readouterr().err)
    assert told.count("\n") == 1
