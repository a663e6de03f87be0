"""Weights in, network out; bad files are refused in test_bad_input.py of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES, MINI, Architecture, architecture_of
from napari_revsam2.sam2_backend.checkpoints.weights import EMBEDDED, load_model
from napari_revsam2.sam2_backend.device import choose_device
from napari_revsam2.vocabulary.errors import CheckpointError, DeviceError, NotEnoughMemoryError


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


PATCHES = "image_encoder.trunk.patch_embed.proj.weight"


@pytest.mark.parametrize("content", [{0: torch.zeros(2)}, {PATCHES: torch.zeros(())}, {"model": {"a": 1}}, [1]])
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


def test_a_file_in_a_folder_that_may_not_be_looked_into_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "is_file", refuse)  # asks elsewhere in newer versions of Python
    with pytest.raises(CheckpointError, match=r"weights.pt can't be read \(Permission denied\)"):
        load_model("weights.pt")


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("sam2-hiera-tini", r"did you mean sam2-hiera-tiny or sam2\.1-hiera-tiny"),
        ("revsam2_mini", r"did you mean revsam2-mini\?"),
        ("sam3", "give a file, or one of revsam2-mini, .*, medsam2"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_are_near_or_all(name: str, ending: str) -> None:
    with pytest.raises(CheckpointError, match=f"^There is no checkpoint '{name}': {ending}"):
        load_model(name)


def test_a_device_too_small_for_the_network_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.nn.Module, "to", refuse)
    with pytest.raises(NotEnoughMemoryError, match="choose a smaller checkpoint"):
        load_model(MINI.name)


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
