"""The losses, the schedule, and a run that stops and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from export import export
from matching import matching_loss
from train import Settings, dice, learning_rate, mask_loss, train

from napari_revsam2.sam2_backend.checkpoints import load_model


def test_a_right_mask_costs_less_than_an_empty_and_an_empty_less_than_a_wrong_one() -> None:
    target = torch.zeros(1, 1, 32, 32)
    target[..., 4:16, 4:16] = 1
    right = torch.where(target[..., ::4, ::4] > 0, 8.0, -8.0)
    empty, wrong = torch.full_like(right, -8.0), right.flip(-1)
    assert mask_loss(right, target) < mask_loss(empty, target) < mask_loss(wrong, target)


def test_dice_is_nan_where_the_class_is_absent() -> None:
    target = torch.zeros(2, 1, 8, 8)
    target[0, 0, :4] = 1
    overlap = dice(torch.full((2, 1, 2, 2), 5.0), target)
    assert overlap[0] == pytest.approx(2 / 3)
    assert overlap[1].isnan()


def test_features_that_tell_tissues_apart_match_better_than_features_that_do_not() -> None:
    tissues = torch.zeros(1, 1, 3, 4, 4)
    tissues[:, :, 0, :, :2] = 1
    tissues[:, :, 1, :, 2:] = 1
    torch.manual_seed(0)
    random = torch.randn(1, 1, 8, 4, 4)
    assert (
        matching_loss(tissues, tissues, tissues, tissues)
        < 0.1
        < matching_loss(random, random.flip(-1), tissues, tissues)
    )


def test_the_learning_rate_warms_up_holds_and_falls_to_zero() -> None:
    rates = [learning_rate(step, 1000, 1.0) for step in (0, 199, 500, 850, 1000)]
    assert rates == pytest.approx([1 / 200, 1, 1, 0.5, 0])


@pytest.mark.slow
def test_a_training_run_resumes_where_it_stopped_and_exports_a_checkpoint(tmp_path: Path) -> None:
    common = {"run_dir": str(tmp_path), "size": 64, "steps": 4, "processes": 2, "validate_every": 2}
    train(Settings(until=2, **common))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 2
    train(Settings(until=4, **common))
    assert [line.split(",")[0] for line in (tmp_path / "curve.csv").read_text().splitlines()] == ["step", "2", "4"]
    export(tmp_path, tmp_path / "weights.safetensors")
    assert load_model(str(tmp_path / "weights.safetensors")).image_size > 0
