"""Weights in, network out; bad files are refused in test_bad_input.py of the command line."""

from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_revsam2.sam2_backend.checkpoints.architectures import MINI
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.vocabulary.errors import CheckpointError, NotEnoughMemoryError


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


PATCHES = "image_encoder.trunk.patch_embed.proj.weight"


with warnings.catch_warnings():  # PyTorch says that they are a prototype
    warnings.simplefilter("ignore")
    NESTED = torch.nested.nested_tensor([torch.zeros(2)])


@pytest.mark.parametrize(
    "content", [{0: torch.zeros(2)}, {PATCHES: torch.zeros(())}, {PATCHES: NESTED}, {"model": {"a": 1}}, [1]]
)
def test_what_holds_no_named_weights_is_no_checkpoint(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=r"no named weights|another architecture"):
        load_model(str(tmp_path / "other.pt"))


@pytest.mark.parametrize("content", [b"", b"e", b"u", b"not weights", b"Q", b"PK\x03\x04"])
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_a_damaged_file_is_one_sentence(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{name} can't be read as a checkpoint"):
        load_model(str(tmp_path / name))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "weights.pt").write_bytes(pickle.dumps({"model": Evil()}))
    with pytest.raises(CheckpointError, match="can't be read as a checkpoint"):
        load_model(str(tmp_path / "weights.pt"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("asked", "image_size"), [(None, 512), (128, 128)])
def test_a_checkpoint_works_at_the_size_it_was_made_for_unless_another_is_asked_for(
    asked: int | None, image_size: int
) -> None:
    path = PUBLISHED["medsam2"].path
    path.parent.mkdir(parents=True)
    torch.save({"model": MINI.build().state_dict()}, path)
    assert load_model("medsam2", image_size=asked).image_size == image_size


@pytest.mark.parametrize(("text", "sentence"), [("sam3", "There is no checkpoint"), ("medsam2", "models download")])
def test_a_checkpoint_that_is_not_available_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        load_model(text)


def test_a_device_too_small_for_the_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.nn.Module, "to", refuse)
    with pytest.raises(NotEnoughMemoryError, match="choose a smaller checkpoint"):
        load_model(MINI.name)
