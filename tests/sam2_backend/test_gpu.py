"""A CUDA device is chosen, computes what the processor computes, and can be canceled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.events import RunFinished, Stage, result_of
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.loading import load_propagator, load_with_store
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

from .devices import on_both, on_cuda


@pytest.fixture
def exact_convolutions() -> Iterator[None]:
    """Compute convolutions in float32, too, which PyTorch lets a device do in TF32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def config_of(**settings: object) -> RevSAM2Config:
    """Settings of a small run."""
    return RevSAM2Config(n_support=3, top_k=3, **settings)


def problem_of(config: RevSAM2Config) -> tuple[SupportSet, QueryVolume]:
    """The middle of the sample data."""
    problem = open_problem(list(sample_supports()), sample_query()[0], config)
    return problem.supports, QueryVolume(problem.query.slices[8:18], problem.query.limits)


def run(config: RevSAM2Config, network: StoredEmbeddings | None = None) -> RunFinished:
    """Run on the middle of the sample data."""
    network = load_with_store(config) if network is None else network  # an empty store is false
    return result_of(run_revsam2(network, *problem_of(config), config, (1,)))


@on_cuda
def test_in_float32_it_gives_the_masks_and_scores_of_the_processor(device: str, exact_convolutions: None) -> None:
    processor, cuda = (run(config_of(device=name, precision=Precision.FLOAT32)) for name in ("cpu", device))
    assert cuda.computed_with == {"device": "cuda", "precision": "float32"}
    assert processor.segmentation.any()
    assert (cuda.segmentation == processor.segmentation).mean() >= 0.999
    np.testing.assert_allclose(cuda.labels[0].reverse_scores, processor.labels[0].reverse_scores, atol=0.01)


@on_cuda
@pytest.mark.parametrize("precision", [Precision.AUTO, Precision.FLOAT16, Precision.BFLOAT16])
def test_in_half_precision_it_gives_nearly_the_masks_of_the_processor(device: str, precision: Precision) -> None:
    processor = run(config_of(device="cpu", precision=Precision.FLOAT32))
    cuda = run(config_of(device=device, precision=precision))
    assert dice(cuda.segmentation > 0, processor.segmentation > 0) > 0.95


@on_cuda
def test_by_itself_it_is_chosen_with_half_precision(device: str) -> None:
    chosen = load_propagator(RevSAM2Config()).computed_with
    assert chosen["device"] == device
    assert chosen["precision"] in ("bfloat16", "float16")


@on_both
def test_a_second_run_in_the_process_gives_the_same_to_the_last_digit(device: str) -> None:
    config = config_of(device=device)
    first, second = run(config), run(config)
    np.testing.assert_array_equal(second.segmentation, first.segmentation)
    np.testing.assert_array_equal(second.labels[0].reverse_scores, first.labels[0].reverse_scores)


@on_cuda
def test_embeddings_from_files_give_the_same_to_the_last_digit(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(config_of(device=device))
    monkeypatch.setattr("napari_revsam2.sam2_backend.sam2_memory.embed_slices", None)
    np.testing.assert_array_equal(run(config_of(device=device)).segmentation, first.segmentation)


@on_both
def test_a_store_beyond_its_budget_gives_the_same_to_the_last_digit(device: str) -> None:
    config = config_of(device=device)
    network = load_propagator(config)
    expected = run(config, StoredEmbeddings(network))
    _, query = problem_of(config)
    (embedding,) = network.embed([np.asarray(query.slices[0])], [query.limits])
    files = EmbeddingFiles(network.model, network.computed_with["precision"])
    store = StoredEmbeddings(network, files, memory_budget=2 * embedding.nbytes)
    np.testing.assert_array_equal(run(config, store).segmentation, expected.segmentation)
    assert len(store) == 2


@on_both
@pytest.mark.parametrize("stage", list(Stage))
def test_canceled_in_any_stage_it_runs_again_to_the_same_result(device: str, stage: Stage) -> None:
    config = config_of(device=device)
    network = load_with_store(config)
    expected = run(config, network)
    network.clear()
    events = run_revsam2(network, *problem_of(config), config, (1,))
    next(event for event in events if getattr(event, "stage", None) is stage)
    next(events)
    events.close()
    np.testing.assert_array_equal(run(config, network).segmentation, expected.segmentation)
