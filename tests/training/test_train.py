"""The losses, the schedule, and a run that stops and goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from alignment import align
from curriculum import FEATURES_UNTIL, lesson
from episodes import Batch, EpisodeStream
from export import export
from losses import dice, episode_losses, mask_loss, presence_loss
from matching import matching_loss
from torch import Tensor
from train import Settings, build_model, learning_rate, train

from napari_revsam2.sam2_backend.checkpoints.weights import load_model


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


def test_the_learning_rate_warms_up_twice_holds_and_falls_to_zero() -> None:
    rates = [learning_rate(progress, 1.0) for progress in (0, 0.02, FEATURES_UNTIL, 0.1, 0.5, 0.75, 1)]
    assert rates == pytest.approx([0.05, 1, 0.05, 1, 1, 0.5, 0])


def test_lessons_go_from_features_to_warped_copies_to_other_patients_and_self_propagation() -> None:
    assert lesson(0).features_only
    reading, late = lesson(0.1), lesson(0.9)
    assert (reading.features_only, reading.warped, reading.follows) == (False, 1, 0)
    assert late.warped < 0.2 < 0.4 < late.follows
    assert late.easy < reading.easy


def test_an_aligned_network_finds_a_bright_disc_before_any_training() -> None:
    """Noise with discs: features of random weights tell bright from dark, and alignment makes masks of that."""
    torch.manual_seed(0)
    model = build_model(64)
    batch = EpisodeStream(5, 64).draw(easy=1.0, warped=1.0)
    images, masks = _discs(batch)
    with torch.no_grad():
        before = episode_losses(model, masks, np.random.default_rng(0), follows=False)
        align(model, images)
        after = episode_losses(model, masks, np.random.default_rng(0), follows=False)
    assert float(after.forward_dice.nanmean()) > float(before.forward_dice.nanmean()) + 0.15


def _discs(batch: Batch) -> tuple[Tensor, Batch]:
    """The batch's shapes with a bright disc for a target, elsewhere in each slice."""
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")

    def discs(shape: torch.Size) -> Tensor:
        centre = torch.randint(20, 44, (*shape, 2, 1, 1))
        return ((y - centre[..., 0, :, :]) ** 2 + (x - centre[..., 1, :, :]) ** 2 < 14**2).float()

    support, query = discs(batch.supports.shape[:2]), discs(batch.queries.shape[:2])
    classes = batch.query_masks.shape[1]
    shown = replace(
        batch,
        supports=3 * support[:, :, None].expand(-1, -1, 3, -1, -1),
        queries=3 * query[:, :, None].expand(-1, -1, 3, -1, -1),
        support_masks=support[:, None].expand(-1, classes, -1, -1, -1),
        query_masks=query[:, None].expand(-1, classes, -1, -1, -1),
    )
    return torch.cat([shown.supports.flatten(0, 1), shown.queries.flatten(0, 1)]), shown


@pytest.mark.slow
def test_a_training_run_resumes_where_it_stopped_and_exports_a_checkpoint(tmp_path: Path) -> None:
    common = {"run_dir": str(tmp_path), "size": 64, "steps": 4, "processes": 2, "validate_every": 2}
    train(Settings(until=2, **common))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 2
    train(Settings(until=4, **common))
    assert [line.split(",")[0] for line in (tmp_path / "curve.csv").read_text().splitlines()] == ["step", "2", "4"]
    export(tmp_path, tmp_path / "weights.safetensors")
    assert load_model(str(tmp_path / "weights.safetensors")).image_size > 0


def test_presence_counts_each_slice_the_same_and_a_trace_of_the_class_not_at_all() -> None:
    target = torch.zeros(1, 3, 32, 32)
    target[0, 0, :16] = 1  # a large organ
    target[0, 1, :1, :3] = 1  # a trace
    right = torch.full((1, 3, 8, 8), -9.0)
    right[0, 0, :4] = 9
    blob = right.clone()
    blob[0, 2, 2:5, 2:5] = 9  # invented where there is nothing
    assert presence_loss(right, target) < 0.01
    assert presence_loss(blob, target) > 4
    with_trace = right.clone()
    with_trace[0, 1] = 9
    assert presence_loss(with_trace, target) == pytest.approx(float(presence_loss(right, target)), abs=1e-3)


def test_weights_that_had_the_first_lessons_warm_up_and_go_on_from_there() -> None:
    assert learning_rate(0.6, 1.0, step=0) < 0.05
    assert learning_rate(0.6, 1.0, step=60) == pytest.approx(0.8)
