"""What embeddings take on disk, and how it is kept within a limit."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from napari_revsam2.sam2_backend.cache import cache_folder as cache
from napari_revsam2.vocabulary.errors import EmbeddingFilesError


def write(name: str, size: int, used: float) -> None:
    """Write a file as large as an embedding, used at a time."""
    write_file(f"{name}.safetensors", size, used)


def write_file(name: str, size: int, used: float) -> None:
    """Write a file among embeddings."""
    path = cache.embeddings_folder() / "network" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (used, used))


def left() -> list[str]:
    """Names of the files that are there, the one used longest ago first."""
    return [file.path.stem for file in cache.embedding_files()]


def test_the_users_own_cache_is_used_unless_a_variable_names_another(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.delenv("NAPARI_REVSAM2_CACHE")
    assert cache.cache_folder() == Path(platformdirs.user_cache_dir("napari-revsam2"))


@pytest.mark.parametrize(("text", "limit"), [("", 20 * 10**9), ("0", 0), ("0.5", 5 * 10**8)])
def test_the_limit_is_20_gb_unless_a_variable_sets_another(text, limit, monkeypatch):
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", text)
    assert cache.size_limit() == limit


@pytest.mark.parametrize("text", ["many", "inf", "nan", "-1"])
def test_a_limit_that_is_no_number_is_refused_in_one_sentence(text, monkeypatch):
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", text)
    with pytest.raises(EmbeddingFilesError, match="isn't a number"):
        cache.size_limit()


def test_files_are_listed_by_when_they_were_used_with_their_sizes():
    write("new", 5, used=2000)
    write("old", 7, used=1000)
    assert [(file.path.stem, file.size, file.used) for file in cache.embedding_files()] == [
        ("old", 7, 1000),
        ("new", 5, 2000),
    ]


def test_what_lies_there_by_chance_is_no_embedding():
    cache.embeddings_folder().mkdir(parents=True)
    (cache.embeddings_folder() / ".DS_Store").touch()
    write_file(".DS_Store", 10, used=1000)
    assert not cache.embedding_files()


@pytest.mark.parametrize(("limit", "names"), [(30, ["a", "b", "c"]), (29, ["b", "c"]), (10, ["c"]), (9, [])])
def test_those_used_longest_ago_are_removed_until_the_rest_keeps_to_the_limit(limit, names):
    for used, name in enumerate("abc", start=1):
        write(name, 10, used=1000 * used)
    cache.trim(limit)
    assert left() == names


def test_what_was_used_since_a_time_stays_beyond_the_limit():
    for used, name in enumerate("abc", start=1):
        write(name, 10, used=1000 * used)
    cache.trim(0, keep_since=2000)
    assert left() == ["b", "c"]


def test_a_file_that_cannot_be_removed_is_passed_over(monkeypatch):
    for used, name in enumerate("abc", start=1):
        write(name, 10, used=1000 * used)
    unlink = Path.unlink

    def refuse(path: Path, **settings: bool) -> None:
        if path.stem == "a":
            raise PermissionError
        unlink(path, **settings)

    monkeypatch.setattr(Path, "unlink", refuse)
    cache.trim(10)
    assert left() == ["a"]


def test_unfinished_files_are_no_embeddings_and_are_swept_unless_they_may_be_somebodys():
    for used, name in enumerate("abc", start=1):
        write_file(f"{name}.0123.part", 10, used=1000 * used)
    write("whole", 10, used=1000)
    cache.sweep(keep_since=2000)
    assert left() == ["whole"]
    assert sorted(path.name for path in (cache.embeddings_folder() / "network").iterdir()) == [
        *("b.0123.part", "c.0123.part"),
        "whole.safetensors",
    ]
