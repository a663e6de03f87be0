"""A clock that is set back, and two versions of the package on one cache."""

from __future__ import annotations

import os
import time

import torch

from napari_revsam2.sam2_backend.cache import cache_folder
from napari_revsam2.sam2_backend.cache import embedding_files as files_module

from .jobs import embedding, embedding_files, segment_with_cache
from .planted import ClockSetBack
from .process import run

DAY = 24 * 60 * 60


def test_a_run_whose_clock_is_set_back_finds_the_same(folder):
    expected = run(segment_with_cache, folder)
    assert expected.code == 0
    assert run(segment_with_cache, folder, ClockSetBack(2 * DAY)) == expected


def test_what_was_used_by_a_clock_that_was_ahead_still_keeps_to_the_limit(folder, monkeypatch):
    files = embedding_files()
    for key in "abc":
        files.save(key, embedding())
    for ahead, file in enumerate(cache_folder.embedding_files(), start=1):
        os.utime(file.path, (0, time.time() + ahead * DAY))
    size = cache_folder.embedding_files()[0].size
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", str(size / cache_folder.GIGABYTE))
    embedding_files()
    assert len(cache_folder.embedding_files()) == 1


def test_two_versions_on_one_cache_do_not_believe_each_other_and_keep_to_one_limit(folder, monkeypatch):
    ours = embedding_files()
    ours.save("slice", embedding())
    with monkeypatch.context() as other_version:
        other_version.setattr(files_module, "_FORMAT", files_module._FORMAT - 1)
        theirs = embedding_files()
    assert "slice" not in theirs
    theirs.save("slice", type(embedding())(*(2 * tensor for tensor in vars(embedding()).values())))
    found = ours.load("slice")
    assert found is not None
    assert torch.equal(found.top, embedding().top)
    assert len(cache_folder.embedding_files()) == 2
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", "1e-9")
    embedding_files()
    assert not cache_folder.embedding_files()
