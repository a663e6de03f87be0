"""The network of the last run."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import RevSAM2Config
from tests.engine.fake_propagator import FakePropagator

CONFIG = RevSAM2Config()
LIMITS = (0.0, 1.0)


@pytest.fixture
def loaded():
    """The networks that were loaded."""
    return []


@pytest.fixture
def network(loaded):
    def load(config) -> StoredEmbeddings:
        loaded.append(StoredEmbeddings(FakePropagator()))
        return loaded[-1]

    return KeptNetwork(load)


def test_another_mode_or_k_takes_the_same_network(network, loaded):
    problem = np.zeros(1)
    first = network.for_run(CONFIG, problem)
    assert network.for_run(replace(CONFIG, top_k=2, mode="forward"), problem) is first
    assert len(loaded) == 1


@pytest.mark.parametrize("choice", [{"checkpoint": "other.pt"}, {"device": "cuda"}, {"image_size": 256}])
def test_another_checkpoint_device_or_image_size_loads_another_network(network, loaded, choice):
    problem = np.zeros(1)
    network.for_run(CONFIG, problem)
    network.for_run(replace(CONFIG, **choice), problem)
    assert len(loaded) == 2


def test_embeddings_are_kept_for_the_same_data_and_no_other(network):
    problem = np.zeros(1)
    network.for_run(CONFIG, problem).embed([np.ones((2, 2))], [LIMITS])
    assert len(network.for_run(CONFIG, problem)) == 1
    assert len(network.for_run(CONFIG, np.zeros(1))) == 0


def test_the_data_of_the_last_run_is_not_kept_alive(network):
    problem = np.zeros(1)
    network.for_run(CONFIG, problem)
    reference = weakref.ref(problem)
    del problem
    gc.collect()
    assert reference() is None


def test_data_that_python_cannot_refer_to_weakly_is_encoded_anew_each_time(network):
    problem = (1, 2)
    network.for_run(CONFIG, problem).embed([np.ones((2, 2))], [LIMITS])
    assert len(network.for_run(CONFIG, problem)) == 0


def test_forgotten_embeddings_are_encoded_anew(network):
    problem = np.zeros(1)
    network.for_run(CONFIG, problem).embed([np.ones((2, 2))], [LIMITS])
    network.forget_embeddings()
    assert len(network.for_run(CONFIG, problem)) == 0


@pytest.mark.parametrize(("error", "loads"), [(torch.OutOfMemoryError(), 2), (MemoryError(), 2), (KeyError(), 1)])
def test_only_a_network_that_is_too_large_is_dropped(network, loaded, error, loads):
    problem = np.zeros(1)
    network.for_run(CONFIG, problem)
    with pytest.raises(type(error)), network.dropped_if_too_large():
        raise error
    network.for_run(CONFIG, problem)
    assert len(loaded) == loads


def test_a_device_that_has_failed_fails_no_clean_up():
    def fail() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    KeptNetwork(release=fail).release_unused()
