"""Weights in, network out; bad files are refused in test_bad_input.py of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_revsam2.engine.errors import CheckpointError, DeviceError
from napari_revsam2.sam2_backend.architectures import ARCHITECTURES, MINI, Architecture, architecture_of
from napari_revsam2.sam2_backend.checkpoints import EMBEDDED, load_model
from napari_revsam2.sam2_backend.device import choose_device


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_signatures_tell_the_architectures_apart(architecture: Architecture) -> None:
    assert [a for a in ARCHITECTURES if a.signature() == architecture.signature()] == [architecture]


@pytest.mark.parametrize("name", ["revsam2-mini", "sam2-hiera-tiny", "sam2.1-hiera-tiny"])
def test_the_architecture_is_found_from_the_weights(name: str) -> None:
    architecture = next(a for a in ARCHITECTURES if a.name == name)
    assert architecture_of(architecture.build().state_dict(), "a file") is architecture


def test_a_file_as_meta_publishes_it_is_loaded(tmp_path: Path) -> None:
    torch.manual_seed(5)
    weights = MINI.build().state_dict()
    torch.save({"model": weights}, tmp_path / "weights.pt")
    loaded = load_model(str(tmp_path / "weights.pt"), image_size=128)
    assert loaded.image_size == 128
    assert not loaded.training
    for name, tensor in loaded.state_dict().items():
        torch.testing.assert_close(tensor, weights[name], rtol=0, atol=0)


def test_half_precision_weights_are_computed_with_in_single_precision(tmp_path: Path) -> None:
    save_file({n: t.half().contiguous() for n, t in MINI.build().state_dict().items()}, tmp_path / "half.safetensors")
    loaded = load_model(str(tmp_path / "half.safetensors"))
    assert {t.dtype for t in loaded.state_dict().values() if t.is_floating_point()} == {torch.float32}


def test_weights_with_a_part_missing_are_refused(tmp_path: Path) -> None:
    weights = {n: t.contiguous() for n, t in MINI.build().state_dict().items() if "memory_encoder" not in n}
    save_file(weights, tmp_path / "part.safetensors")
    with pytest.raises(CheckpointError, match="looks like revsam2-mini, but"):
        load_model(str(tmp_path / "part.safetensors"))


def test_the_embedded_checkpoint_is_small() -> None:
    import napari_revsam2.sam2_backend as backend

    path = Path(backend.__path__[0]) / "weights" / EMBEDDED[MINI.name]
    assert path.stat().st_size < 20e6


def test_auto_takes_a_device_that_is_there_and_a_missing_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(DeviceError, match="no cuda device"):
        choose_device("cuda")
