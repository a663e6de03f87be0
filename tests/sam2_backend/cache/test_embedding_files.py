"""Embeddings on disk: whole or not believed, bounded, and found again by the same network only."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend.cache import cache_folder as cache
from napari_revsam2.sam2_backend.cache import embedding_files
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles, network_hash
from napari_revsam2.sam2_backend.cache.embedding_store import MEMORY_BUDGET, StoredEmbeddings
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import EmbeddingFilesError, NotEnoughMemoryError
from napari_revsam2.volume_files.file_problem import open_problem

EMBEDDING = SliceEmbeddings(torch.rand(1, 4, 2, 2), torch.rand(1, 2, 4, 4), torch.rand(1, 1, 8, 8).bfloat16())


@pytest.fixture(scope="module")
def model():
    return load_model("revsam2-mini")


@pytest.fixture
def files(model) -> EmbeddingFiles:
    return EmbeddingFiles(model, "float32")


def only_file() -> Path:
    (file,) = cache.embedding_files()
    return file.path


def test_what_is_written_comes_back_bit_by_bit(model, files):
    assert "a" not in files
    files.save("a", EMBEDDING)
    again = EmbeddingFiles(model, "float32")
    assert "a" in again
    for name, tensor in vars(again.load("a")).items():
        assert tensor.dtype is getattr(EMBEDDING, name).dtype
        assert torch.equal(tensor, getattr(EMBEDDING, name))


def test_another_network_size_or_precision_finds_nothing(model, files):
    files.save("a", EMBEDDING)
    other = load_model("revsam2-mini")
    with torch.no_grad():
        other.image_encoder.trunk.patch_embed.proj.bias[0] += 1e-3
    larger = load_model("revsam2-mini", image_size=160)
    for network, precision in ((model, "bfloat16"), (other, "float32"), (larger, "float32")):
        assert "a" not in EmbeddingFiles(network, precision)
    assert network_hash(load_model("revsam2-mini"), "float32") == network_hash(model, "float32")


@pytest.mark.parametrize("length", [0, 5, 100, -1])
def test_a_truncated_file_is_not_believed(files, length):
    files.save("a", EMBEDDING)
    content = only_file().read_bytes()
    only_file().write_bytes(content[:length])
    assert "a" not in files
    assert not cache.embedding_files()


def test_a_process_killed_while_it_writes_leaves_nothing_that_is_believed_and_is_swept_after_a_day(model, files):
    script = (
        "import os, torch, safetensors.torch\n"
        "from napari_revsam2.sam2_backend.cache import embedding_files as e\n"
        "from napari_revsam2.sam2_backend.checkpoints.weights import load_model\n"
        "from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings\n"
        "def save(tensors, path, metadata):\n"
        "    open(path, 'wb').write(bytes(1000))\n"
        "    os.kill(os.getpid(), 9)\n"
        "e.save_file = save\n"
        "files = e.EmbeddingFiles(load_model('revsam2-mini'), 'float32')\n"
        "files.save('a', SliceEmbeddings(*[torch.zeros(1, 1, 2, 2)] * 3))\n"
    )
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=False)
    assert ended.returncode == -9
    (part,) = files._folder.iterdir()
    assert part.suffix == ".part"
    assert "a" not in files
    assert not cache.embedding_files()
    EmbeddingFiles(model, "float32")
    assert part.exists()  # it may still be somebody's
    os.utime(part, (0, time.time() - 2 * 24 * 3600))
    EmbeddingFiles(model, "float32")
    assert not part.exists()


def test_a_file_is_on_the_disk_before_it_has_its_name(files, monkeypatch):
    flushed = []
    fsync, replace = os.fsync, os.replace

    def flush(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def rename(old, new) -> None:
        assert Path(old).stat().st_ino in flushed
        replace(old, new)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", rename)
    monkeypatch.setattr(os, "rename", rename)
    files.save("a", EMBEDDING)
    assert "a" in files
    assert flushed


def test_a_file_that_the_disk_cannot_read_is_a_miss(files, monkeypatch):
    files.save("a", EMBEDDING)

    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("pathlib.Path.open", fail)
    assert files.load("a") is None


def test_a_file_that_is_gone_is_a_miss(files):
    files.save("a", EMBEDDING)
    only_file().unlink()
    assert files.load("a") is None


def test_a_full_disk_is_one_sentence_and_leaves_no_part(files, monkeypatch):
    def full(tensors, path: Path, metadata) -> None:
        path.write_bytes(b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embedding_files, "save_file", full)
    with pytest.raises(EmbeddingFilesError, match=r"No space left on device.*make room"):
        files.save("a", EMBEDDING)
    assert not list(files._folder.iterdir())


@pytest.fixture
def cache_that_is_a_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path / "file"))


def test_a_cache_that_cannot_be_written_is_one_sentence_once_it_is_needed(model, cache_that_is_a_file):
    files = EmbeddingFiles(model, "float32")
    assert "a" not in files
    with pytest.raises(EmbeddingFilesError, match="NAPARI_REVSAM2_CACHE"):
        files.save("a", EMBEDDING)


def test_while_memory_is_enough_a_run_needs_no_cache(cache_that_is_a_file):
    assert run().segmentation.any()


def test_a_cache_that_can_only_be_read_is_read(files, model, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    files.save("a", EMBEDDING)
    for name in ("utime", "mkdir", "chmod", "unlink", "replace"):
        monkeypatch.setattr(os, name, refuse)
    again = EmbeddingFiles(model, "float32")
    assert "a" in again
    assert torch.equal(again.load("a").top, EMBEDDING.top)


def test_two_threads_may_write_the_same_slice_at_once(files, monkeypatch):
    both = threading.Barrier(2)

    def save(tensors, path: Path, metadata) -> None:
        save_file(tensors, path, metadata)
        both.wait(10)  # now two parts are there

    monkeypatch.setattr(embedding_files, "save_file", save)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: files.save("a", EMBEDDING), range(2)))
    assert only_file() == files._path("a")


def test_the_clock_of_a_network_drive_does_not_matter(model, monkeypatch):
    hour_ahead = time.time() + 3600  # of the drive
    monkeypatch.setattr(embedding_files.time, "time", lambda: hour_ahead)
    running = EmbeddingFiles(model, "float32")
    running.save("a", EMBEDDING)
    cache.trim(0, keep_since=running._opened)
    assert "a" in running


def test_out_of_memory_while_it_reads_is_told_as_such(files, monkeypatch):
    def refuse(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    files.save("a", EMBEDDING)
    monkeypatch.setattr(torch.Tensor, "to", refuse)
    with pytest.raises(NotEnoughMemoryError):
        files.load("a")
    assert "a" in files


def test_opening_removes_those_used_longest_ago(model, files, monkeypatch):
    for age, key in enumerate("abc"):
        files.save(key, EMBEDDING)
        os.utime(files._path(key), (0, time.time() - 1000 * (age + 1)))
    size = cache.embedding_files()[0].size
    assert "c" in files  # used just now
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", str(2 * size / cache.GIGABYTE))
    again = EmbeddingFiles(model, "float32")
    assert [key in again for key in "abc"] == [True, False, True]


def test_what_a_run_has_used_stays_even_beyond_the_limit(model, files, monkeypatch):
    files.save("old", EMBEDDING)
    os.utime(files._path("old"), (0, time.time() - 1000))
    running = EmbeddingFiles(model, "float32")
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", "1e-9")
    monkeypatch.setattr(embedding_files, "GIGABYTE", 0)  # look after every file
    running.save("a", EMBEDDING)
    running.save("b", EMBEDDING)
    assert [key in running for key in ("old", "a", "b")] == [False, True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_others_may_not_look(files):
    assert stat.S_IMODE(cache.embeddings_folder().stat().st_mode) == 0o700


def run(memory_budget: int = MEMORY_BUDGET, meanwhile: Callable[[], object] = lambda: None) -> RunFinished:
    """Run on a few slices of the sample data, while something else happens between all steps."""
    config = RevSAM2Config(n_support=2, top_k=2)
    problem = open_problem(list(sample_supports()), sample_query()[0], config)
    query = type(problem.query)(problem.query.slices[12:15], problem.query.limits)
    network = load_propagator(config)
    store = StoredEmbeddings(network, EmbeddingFiles(network.model, "float32"), memory_budget)
    for event in run_revsam2(store, problem.supports, query, config, (1,)):
        meanwhile()
        last = event
    assert isinstance(last, RunFinished)
    return last


def test_tomorrow_a_run_encodes_nothing_again_and_finds_the_same_to_the_last_digit(monkeypatch):
    first = run()
    assert len(cache.embedding_files()) == 2 + 3
    monkeypatch.setattr("napari_revsam2.sam2_backend.sam2_memory.embed_slices", None)
    assert_equal(run(), first)


def test_a_run_whose_files_another_process_removes_finds_the_same_to_the_last_digit():
    def trim() -> None:
        cache.trim(-1)

    undisturbed = run()
    assert_equal(run(0, trim), undisturbed)


def test_a_run_whose_files_are_damaged_finds_the_same_to_the_last_digit():
    def damage() -> None:
        for file in cache.embedding_files():
            file.path.unlink()  # the old one may be mapped
            file.path.write_bytes(b"damaged")

    undisturbed = run()
    assert_equal(run(0, damage), undisturbed)


def assert_equal(found: RunFinished, expected: RunFinished) -> None:
    """Compare masks and scores bit for bit."""
    assert expected.segmentation.any()
    np.testing.assert_array_equal(found.segmentation, expected.segmentation)
    np.testing.assert_array_equal(found.labels[0].reverse_scores, expected.labels[0].reverse_scores)


def test_an_embedding_keeps_no_other_of_its_batch_in_memory(model):
    images = list(np.random.default_rng(0).random((3, 20, 20)))
    embedded = Sam2Propagator(model, batch_size=3).embed(images, [(0.0, 1.0)] * 3)
    for embedding in embedded:
        assert sum(t.untyped_storage().nbytes() for t in vars(embedding).values()) == embedding.nbytes
