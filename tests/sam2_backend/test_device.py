"""Where the network runs and what it computes in: a matter of the hardware, so that runs on a machine agree."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import torch

from napari_revsam2.sam2_backend.device import choose_device, choose_precision, resolved
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import DeviceError

CUDA, MPS, CPU = torch.device("cuda"), torch.device("mps"), torch.device("cpu")


@pytest.fixture
def hardware(monkeypatch):
    """Play a machine."""

    def play(cuda: bool = False, onednn: bool = False, amx: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: cuda)
        monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace(_is_mkldnn_bf16_supported=lambda: onednn))
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)

    return play


def test_cuda_computes_in_half_precision(hardware):
    hardware(cuda=True)
    assert choose_precision(Precision.AUTO, CUDA) is torch.bfloat16
    hardware(cuda=False)
    assert choose_precision(Precision.AUTO, CUDA) is torch.float16


@pytest.mark.parametrize(("onednn", "amx"), [(True, False), (False, True), (False, False)])
def test_a_processor_computes_in_float32_unless_it_has_bfloat16_matrix_units_that_pytorch_uses(hardware, onednn, amx):
    hardware(onednn=onednn, amx=amx)
    assert choose_precision(Precision.AUTO, CPU) is torch.float32
    hardware(onednn=True, amx=True)
    assert choose_precision(Precision.AUTO, CPU) is torch.bfloat16
    assert choose_precision(Precision.AUTO, MPS) is torch.float32


def test_the_choice_does_not_depend_on_how_busy_the_machine_is(hardware, monkeypatch):
    hardware(onednn=True, amx=True)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)  # no product is faster than another
    assert choose_precision(Precision.AUTO, CPU) is torch.bfloat16


def test_pytorch_without_onednn_as_on_a_mac_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert choose_precision(Precision.AUTO, CPU) is torch.float32


@pytest.mark.parametrize("wanted", [Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16])
def test_a_precision_that_is_asked_for_is_taken(wanted):
    assert choose_precision(wanted, CPU) is getattr(torch, wanted.value)


@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_fastest_device_that_is_available_is_chosen(cuda, mps, chosen, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == chosen


def test_a_device_that_is_missing_or_unknown_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no cuda device"):
        choose_device("cuda")
    with pytest.raises(DeviceError, match="'tpu' isn't known: choose auto, cpu, cuda or mps"):
        choose_device("tpu")


def test_resolved_settings_name_device_and_precision_and_keep_the_rest(hardware, monkeypatch):
    hardware(onednn=True, amx=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    config = RevSAM2Config(top_k=3)
    found = resolved(config)
    assert (found.device, found.precision, found.top_k) == ("cpu", Precision.BFLOAT16, 3)
    hardware()
    assert resolved(found) == found  # also on a machine that would choose otherwise
