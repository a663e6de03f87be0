"""What only a CUDA device can show; these tests run by themselves where there is one."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.device import give_back_unused
from napari_revsam2.sam2_backend.loading import load_propagator, load_with_store
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


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


def run(config: RevSAM2Config, network: StoredEmbeddings | None = None) -> RunFinished:
    """Run on the middle of the sample data."""
    problem = open_problem(list(sample_supports()), sample_query()[0], config)
    query = type(problem.query)(problem.query.slices[8:18], problem.query.limits)
    *_, last = run_revsam2(network or load_with_store(config), problem.supports, query, config, (1,))
    assert isinstance(last, RunFinished)
    return last


def test_in_float32_it_gives_the_masks_and_scores_of_the_processor(exact_convolutions: None) -> None:
    processor, cuda = (run(config_of(device=name, precision=Precision.FLOAT32)) for name in ("cpu", "cuda"))
    assert cuda.computed_with == {"device": "cuda", "precision": "float32"}
    assert processor.segmentation.any()
    assert (cuda.segmentation == processor.segmentation).mean() >= 0.999
    np.testing.assert_allclose(cuda.labels[0].reverse_scores, processor.labels[0].reverse_scores, atol=0.01)


@pytest.mark.parametrize("precision", [Precision.AUTO, Precision.FLOAT16, Precision.BFLOAT16])
def test_in_half_precision_it_gives_nearly_the_masks_of_the_processor(precision: Precision) -> None:
    processor = run(config_of(device="cpu", precision=Precision.FLOAT32))
    cuda = run(config_of(device="cuda", precision=precision))
    assert dice(cuda.segmentation > 0, processor.segmentation > 0) > 0.95


def test_by_itself_it_is_chosen_with_half_precision() -> None:
    chosen = load_propagator(RevSAM2Config()).computed_with
    assert chosen["device"] == "cuda"
    assert chosen["precision"] in ("bfloat16", "float16")


def test_a_run_leaves_the_network_and_its_embeddings_in_memory_and_nothing_else() -> None:
    config = config_of(device="cuda")
    network = load_with_store(config)
    before = torch.cuda.memory_allocated()
    run(config, network)
    network.clear()
    gc.collect()
    assert torch.cuda.memory_allocated() <= before + 2**20  # tables that the network makes at its first use


def test_all_memory_is_given_back_when_the_network_goes() -> None:
    run(config_of(device="cuda"))  # CUDA's libraries keep a workspace of their own from the first use on
    gc.collect()
    give_back_unused()
    before = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
    run(config_of(device="cuda"))
    gc.collect()
    give_back_unused()
    assert torch.cuda.memory_allocated() <= before[0]
    assert torch.cuda.memory_reserved() <= before[1]


def test_embeddings_from_files_give_the_same_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(config_of(device="cuda"))
    monkeypatch.setattr("napari_revsam2.sam2_backend.sam2_memory.embed_slices", None)
    np.testing.assert_array_equal(run(config_of(device="cuda")).segmentation, first.segmentation)
