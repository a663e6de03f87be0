"""What embeddings take on disk, seen and cleared from the command line."""

from __future__ import annotations

from napari_revsam2.cli.app import main
from napari_revsam2.sam2_backend.cache import embedding_files, embeddings_folder


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


def test_a_limit_that_is_no_number_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", "lots")
    assert main(["cache"]) == 2
    assert "isn't a number" in capsys.readouterr().err


def test_a_folder_that_cannot_be_cleared_is_one_sentence(files, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    assert main(files.arguments()) == 0
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert main(["cache", "clear"]) == 2
    assert "can't be removed" in capsys.readouterr().err
