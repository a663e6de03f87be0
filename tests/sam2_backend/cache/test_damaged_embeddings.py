"""Embeddings that a disk, a kill or a hand has damaged change nothing in any run."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet
from napari_revsam2.sam2_backend.cache import cache_folder as cache
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

CONFIG = RevSAM2Config(n_support=2, top_k=2, image_size=64)
Damage = Callable[[bytes, random.Random], bytes]


@pytest.fixture(scope="module")
def network() -> Sam2Propagator:
    """Encode one by one: in batches, the last digits of a slice depend on which others are encoded with it."""
    return Sam2Propagator(load_model(CONFIG.checkpoint, image_size=CONFIG.image_size), batch_size=1)


@pytest.fixture(scope="module")
def problem() -> tuple[SupportSet, QueryVolume]:
    whole = open_problem(list(sample_supports()), sample_query()[0], CONFIG)
    return whole.supports, QueryVolume(whole.query.slices[12:15], whole.query.limits)


@pytest.fixture(scope="module")
def without_cache(network, problem) -> RunFinished:
    return run(StoredEmbeddings(network), problem)


def run(store: StoredEmbeddings, problem: tuple[SupportSet, QueryVolume]) -> RunFinished:
    (*_, last) = run_revsam2(store, *problem, CONFIG, (1,))
    assert isinstance(last, RunFinished)
    return last


@pytest.fixture
def cached(network) -> StoredEmbeddings:
    """Keep all embeddings in files and none in memory."""
    return StoredEmbeddings(network, EmbeddingFiles(network.model, "float32"), memory_budget=0)


@pytest.fixture(scope="module")
def undamaged(network, problem) -> dict[Path, bytes]:
    """What a run writes, by where in the cache."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("NAPARI_REVSAM2_CACHE", folder)
        run(StoredEmbeddings(network, EmbeddingFiles(network.model, "float32")), problem)
        return contents()


def contents() -> dict[Path, bytes]:
    folder = cache.embeddings_folder()
    return {file.path.relative_to(folder): file.path.read_bytes() for file in cache.embedding_files()}


def payload(content: bytes) -> int:
    """Where the numbers begin in a file."""
    return 8 + int.from_bytes(content[:8], "little")


def overwritten(content: bytes, rng: random.Random, block: bytes) -> bytes:
    """Write a block over some of the numbers, and over no two files' the same."""
    start = rng.randrange(payload(content), len(content) - len(block)) // 4 * 4
    return content[:start] + block + content[start + len(block) :]


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


BY_BYTES: dict[str, Damage] = {
    "a sector of zeros": lambda content, rng: overwritten(content, rng, bytes(4096)),
    "nothing but zeros": lambda content, _: content[: payload(content)] + bytes(len(content) - payload(content)),
    "a sector of noise": lambda content, rng: overwritten(content, rng, rng.randbytes(4096)),
    "NaN": lambda content, rng: overwritten(content, rng, np.full(1, np.nan, np.float32).tobytes()),
    "infinity": lambda content, rng: overwritten(content, rng, np.full(9, np.inf, np.float32).tobytes()),
    "a flipped bit among the numbers": lambda content, rng: flipped(
        content, rng.randrange(payload(content), len(content)), rng.randrange(8)
    ),
    "a flipped bit in the header": lambda content, rng: flipped(
        content, rng.randrange(payload(content)), rng.randrange(8)
    ),
    "truncation": lambda content, rng: content[: rng.randrange(len(content))],
    "more than there was": lambda content, rng: content + rng.randbytes(100),
}


def rewritten(path: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    """Replace a file by a valid one with other tensors."""
    tensors = {name: tensor.clone() for name, tensor in change(load_file(path)).items()}
    path.unlink()
    save_file(tensors, path)


VALID: dict[str, Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]] = {
    "another type": lambda tensors: {name: tensor.half() for name, tensor in tensors.items()},
    "whole numbers": lambda tensors: {name: tensor.int() for name, tensor in tensors.items()},
    "another shape": lambda tensors: {name: tensor[:, :-1].contiguous() for name, tensor in tensors.items()},
    "fewer dimensions": lambda tensors: {name: tensor[0] for name, tensor in tensors.items()},
    "other names": lambda tensors: {f"{name}2": tensor for name, tensor in tensors.items()},
    "names exchanged": lambda tensors: dict(zip(tensors, reversed(tensors.values()), strict=True)),
    "no tensors": lambda _: {},
}


def damage_bytes(kind: str) -> None:
    for seed, file in enumerate(cache.embedding_files()):
        content = file.path.read_bytes()
        file.path.unlink()  # the old one may be mapped
        file.path.write_bytes(BY_BYTES[kind](content, random.Random(f"{kind} {seed}")))


def rewrite(kind: str) -> None:
    for file in cache.embedding_files():
        rewritten(file.path, VALID[kind])


def exchange(_: str) -> None:
    """Let each file have the content of another slice's."""
    paths = [file.path for file in cache.embedding_files()]
    whole = [path.read_bytes() for path in paths]
    for path, content in zip(paths, whole[1:] + whole[:1], strict=True):
        path.unlink()
        path.write_bytes(content)


KINDS = [
    *((damage_bytes, kind) for kind in BY_BYTES),
    *((rewrite, kind) for kind in VALID),
    (exchange, "another slice's file"),
]


@pytest.mark.parametrize(("damage", "kind"), KINDS, ids=[kind for _, kind in KINDS])
def test_a_run_on_damaged_files_finds_what_one_without_a_cache_does_and_replaces_them(
    damage, kind, cached, problem, without_cache, undamaged
):
    for path, content in undamaged.items():
        (cache.embeddings_folder() / path).write_bytes(content)
    damage(kind)
    assert len(undamaged) == 5
    assert contents() != undamaged
    assert_equal(run(cached, problem), without_cache)
    assert contents() == undamaged


def assert_equal(found: RunFinished, expected: RunFinished) -> None:
    """Compare the masks bit by bit."""
    assert expected.segmentation.any()
    np.testing.assert_array_equal(found.segmentation, expected.segmentation)
