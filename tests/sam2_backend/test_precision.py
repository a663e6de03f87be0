"""What the network computes in: chosen by the device, told in the result, and near enough to float32."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend import device
from napari_revsam2.sam2_backend.device import choose_device, choose_precision
from napari_revsam2.sam2_backend.loading import load_propagator, load_with_store
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.volume_files.file_problem import open_problem

CUDA, MPS, CPU = torch.device("cuda"), torch.device("mps"), torch.device("cpu")


@pytest.fixture
def hardware(monkeypatch):
    """Play a machine."""

    def play(cuda: bool = False, cpu: bool = False, faster: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: cuda)
        monkeypatch.setattr(device, "_cpu_has_bfloat16", lambda: cpu)
        monkeypatch.setattr(device, "_bfloat16_is_faster", lambda: faster)

    return play


def test_cuda_computes_in_half_precision(hardware):
    hardware(cuda=True)
    assert choose_precision(Precision.AUTO, CUDA) is torch.bfloat16
    hardware(cuda=False)
    assert choose_precision(Precision.AUTO, CUDA) is torch.float16


@pytest.mark.parametrize(("has", "faster"), [(True, False), (False, True), (False, False)])
def test_a_processor_computes_in_float32_unless_bfloat16_is_there_and_faster(hardware, has, faster):
    hardware(cpu=has, faster=faster)
    assert choose_precision(Precision.AUTO, CPU) is torch.float32
    hardware(cpu=True, faster=True)
    assert choose_precision(Precision.AUTO, CPU) is torch.bfloat16
    assert choose_precision(Precision.AUTO, MPS) is torch.float32


@pytest.mark.parametrize("wanted", [Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16])
def test_what_is_asked_for_is_taken(wanted):
    assert choose_precision(wanted, CPU) is getattr(torch, wanted.value)


@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_fastest_device_that_is_there_is_chosen(cuda, mps, chosen, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == chosen


def test_pytorch_without_onednn_as_on_a_mac_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert choose_precision(Precision.AUTO, CPU) is torch.float32


def test_this_machine_can_be_measured():
    assert device._bfloat16_is_faster() in (True, False)
    assert device._cpu_has_bfloat16() in (True, False)


def run(**settings: object) -> RunFinished:
    """Run on the middle of the sample data."""
    config = RevSAM2Config(n_support=3, top_k=3, **settings)
    problem = open_problem(list(sample_supports()), sample_query()[0], config)
    query = type(problem.query)(problem.query.slices[8:18], problem.query.limits)
    *_, last = run_revsam2(load_with_store(config), problem.supports, query, config, (1,))
    return last


def test_bfloat16_gives_nearly_the_masks_of_float32_and_says_so():
    exact, half = run(precision=Precision.FLOAT32), run(precision=Precision.BFLOAT16)
    assert half.computed_with == {"device": "cpu", "precision": "bfloat16"}
    assert exact.computed_with["precision"] == "float32"
    assert exact.segmentation.any()
    assert dice(half.segmentation > 0, exact.segmentation > 0) > 0.95
    np.testing.assert_allclose(half.labels[0].reverse_scores, exact.labels[0].reverse_scores, atol=0.05)


def test_another_image_size_is_computed_with():
    assert load_propagator(RevSAM2Config(image_size=96)).model.image_size == 96
    assert run(image_size=96).segmentation.shape == run().segmentation.shape


def test_a_size_that_the_network_cannot_halve_is_refused():
    with pytest.raises(ProblemError, match="multiple of 32, not 100"):
        RevSAM2Config(image_size=100)
