"""A training run's averaged weights as a checkpoint file."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from training.export import export


def test_the_averaged_weights_are_written_in_half_precision_with_their_step(tmp_path: Path) -> None:
    state = {"step": 7, "model": {"w": torch.zeros(2)}, "average": {"w": torch.ones(2)}}
    torch.save(state, tmp_path / "state.pt")
    export(tmp_path, tmp_path / "out" / "weights.safetensors")
    with safe_open(tmp_path / "out" / "weights.safetensors", "pt") as file:
        torch.testing.assert_close(file.get_tensor("w"), torch.ones(2, dtype=torch.float16))
        assert file.metadata()["step"] == "7"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["weights.safetensors"]
