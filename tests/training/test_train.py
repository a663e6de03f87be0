"""The losses, the schedule, and a run that stops and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from training.curriculum import FEATURES_UNTIL
from training.export import export
from training.train import Settings, learning_rate, train

from napari_revsam2.sam2_backend.checkpoints.weights import load_model


def test_the_learning_rate_warms_up_twice_holds_and_falls_to_zero() -> None:
    rates = [learning_rate(progress, 1.0) for progress in (0, 0.02, FEATURES_UNTIL, 0.1, 0.5, 0.75, 1)]
    assert rates == pytest.approx([0.05, 1, 0.05, 1, 1, 0.5, 0])


@pytest.mark.slow
def test_a_training_run_resumes_where_it_stopped_and_exports_a_checkpoint(tmp_path: Path) -> None:
    common = {"run_dir": str(tmp_path), "size": 64, "steps": 4, "processes": 2, "validate_every": 2}
    train(Settings(until=2, **common))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 2
    train(Settings(until=4, **common))
    assert [line.split(",")[0] for line in (tmp_path / "curve.csv").read_text().splitlines()] == ["step", "2", "4"]
    export(tmp_path, tmp_path / "weights.safetensors")
    assert load_model(str(tmp_path / "weights.safetensors")).image_size > 0


def test_weights_that_had_the_first_lessons_warm_up_and_go_on_from_there() -> None:
    assert learning_rate(0.6, 1.0, step=0) < 0.05
    assert learning_rate(0.6, 1.0, step=60) == pytest.approx(0.8)
