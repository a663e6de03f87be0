"""The schedule, and runs that stop and resume."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from training.curriculum import FEATURES_UNTIL, Shares
from training.export import export
from training.run_state import RunState
from training.train import Settings, learning_rate, shared, start, train

from napari_revsam2.sam2_backend.checkpoints.architectures import MINI
from napari_revsam2.sam2_backend.checkpoints.weights import load_model


def settings(folder: Path, **options: object) -> Settings:
    """Quick steps that have all ingredients."""
    common = {"size": 64, "large_size": 96, "steps": 40, "begin": 0.7, "slices": 8, "seed": 2}
    return Settings(str(folder), processes=1, validate_every=100, validation_batches=1, **{**common, **options})


def resumed(folder: Path) -> RunState:
    state = start(settings(folder), torch.device("cpu"))
    state.resume(folder)
    return state


@pytest.mark.usefixtures("small_patients")
def test_a_run_that_resumes_takes_the_same_next_step_as_one_that_never_stopped(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(settings(whole, until=2))
    train(settings(parts, until=2, minutes=1e-9))  # out of time after each step
    assert resumed(parts).step == 1
    train(settings(parts, until=2, minutes=1e-9))
    first, second = resumed(whole), resumed(parts)
    assert (first.step, second.step) == (2, 2)
    for name in ("model", "average"):
        pairs = zip(getattr(first, name).parameters(), getattr(second, name).parameters(), strict=True)
        assert all(a.equal(b) for a, b in pairs)
    assert second.curve == first.curve
    assert {row.size for row in first.curve} == {64, 96}


def test_a_network_for_another_size_learns_with_the_first_one() -> None:
    model = MINI.build(64)
    other = shared(model, 96)
    assert other.image_size == 96
    assert all(a is b for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_ingredients_are_switched_off_on_the_command_line() -> None:
    assert Settings().shares == Shares()
    assert Settings(without="thin,inverted").shares == Shares().without("thin", "inverted")


def test_the_learning_rate_warms_up_twice_holds_and_falls_to_zero() -> None:
    rates = [learning_rate(progress, 1.0) for progress in (0, 0.02, FEATURES_UNTIL, 0.1, 0.5, 0.75, 1)]
    assert rates == pytest.approx([0.05, 1, 0.05, 1, 1, 0.5, 0])


def test_weights_that_had_the_first_lessons_warm_up_and_continue_from_there() -> None:
    assert learning_rate(0.6, 1.0, step=0) < 0.05
    assert learning_rate(0.6, 1.0, step=60) == pytest.approx(0.8)


@pytest.mark.slow
def test_processes_that_train_together_and_have_episodes_drawn_resume_and_export_a_checkpoint(tmp_path: Path) -> None:
    common = {"run_dir": str(tmp_path), "size": 64, "steps": 4, "processes": 2, "workers": 1, "validate_every": 2}
    train(Settings(until=2, validation_batches=1, **common))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 2
    train(Settings(until=4, validation_batches=1, **common))
    steps = [line.split(",")[0] for line in (tmp_path / "curve.csv").read_text().splitlines()]
    assert steps == ["step", "2", "2", "4", "4"]
    export(tmp_path, tmp_path / "weights.safetensors")
    assert load_model(str(tmp_path / "weights.safetensors")).image_size > 0
