"""What a run takes of a CUDA device's memory, and what it does when that isn't enough."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from napari_revsam2.engine.events import Stage
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.device import give_back_unused
from napari_revsam2.sam2_backend.loading import load_propagator, load_with_store
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError

from .devices import on_cuda
from .test_gpu import config_of, problem_of, run

MIB = 2**20


@pytest.fixture
def whole_device() -> Iterator[None]:
    """Lift a limit on memory after the test."""
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    give_back_unused()


def limit(count: int) -> None:
    """Let this process take so many bytes of the device."""
    give_back_unused()
    torch.cuda.set_per_process_memory_fraction(count / torch.cuda.get_device_properties(0).total_memory)


def in_use() -> int:
    """Bytes of tensors on the device, when all that can be is free."""
    gc.collect()
    give_back_unused()
    return torch.cuda.memory_allocated()


@on_cuda
def test_short_of_memory_the_batch_is_halved_and_the_masks_are_the_same(device: str, whole_device: None) -> None:
    config = config_of(device=device, image_size=1024)
    network = load_propagator(config)
    peaks = []
    for network.batch_size in (64, 1):
        in_use()
        torch.cuda.reset_peak_memory_stats()
        expected = run(config, StoredEmbeddings(network))
        peaks.append(torch.cuda.max_memory_reserved())
    network.batch_size = 64
    limit(peaks[1] + (peaks[0] - peaks[1]) // 3)
    found = run(config, StoredEmbeddings(network))
    assert 1 <= network.batch_size < 64
    assert (found.segmentation == expected.segmentation).mean() >= 0.999


@on_cuda
def test_when_one_slice_is_too_much_it_says_so_and_the_next_run_succeeds(device: str, whole_device: None) -> None:
    config = config_of(device=device, image_size=1024)
    network = load_propagator(config)
    expected = run(config, StoredEmbeddings(network))
    limit(in_use() + 16 * MIB)
    with pytest.raises(NotEnoughMemoryError):
        run(config, StoredEmbeddings(network))
    torch.cuda.set_per_process_memory_fraction(1.0)
    assert (run(config, StoredEmbeddings(network)).segmentation == expected.segmentation).mean() >= 0.999


@on_cuda
def test_a_run_leaves_the_network_in_memory_and_nothing_else(device: str) -> None:
    config = config_of(device=device)
    run(config)  # CUDA's libraries keep a workspace of their own from the first use on
    network = load_with_store(config)
    before = in_use()
    run(config, network)
    network.clear()
    assert in_use() <= before + MIB  # tables that the network fills at its first use


@on_cuda
@pytest.mark.parametrize("stage", list(Stage))
def test_a_canceled_run_leaves_the_network_in_memory_and_nothing_else(device: str, stage: Stage) -> None:
    config = config_of(device=device)
    network = load_with_store(config)
    run(config, network)
    network.clear()
    before = in_use()
    events = run_revsam2(network, *problem_of(config), config, (1,))
    next(event for event in events if getattr(event, "stage", None) is stage)
    next(events)
    events.close()
    network.clear()
    assert in_use() <= before


@on_cuda
def test_all_memory_is_free_when_the_network_goes(device: str) -> None:
    run(config_of(device=device))  # for the libraries' workspace
    before = in_use(), torch.cuda.memory_reserved()
    run(config_of(device=device))
    assert in_use() <= before[0]
    assert torch.cuda.memory_reserved() <= before[1]


@on_cuda
def test_a_second_run_takes_no_more_memory_than_the_first(device: str) -> None:
    config = config_of(device=device)
    network = load_with_store(config)
    peaks = []
    for _ in range(3):
        network.clear()
        in_use()
        torch.cuda.reset_peak_memory_stats()
        run(config, network)
        peaks.append(torch.cuda.max_memory_allocated())
    np.testing.assert_allclose(peaks[2], peaks[1], rtol=0.01)
