"""What a wrong mask costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from training.curriculum import Lesson
from training.episode_stream import EpisodeStream
from training.losses import _conditional_slices, dice, mask_loss, presence_loss


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


@pytest.mark.usefixtures("small_patients")
@pytest.mark.parametrize("own_masks", [True, False])
def test_conditional_slices_keep_own_masks_of_little_overlap_only_where_the_recipe_says_so(
    own_masks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = EpisodeStream(3, 64, lambda step: Lesson(easy=1.0))[0]
    batch = replace(batch, recipe=replace(batch.recipe, own_masks=own_masks))
    target = batch.query_masks.flatten(0, 1)
    left_half = torch.cumsum(target, 3) <= target.sum(3, keepdim=True) * 0.4  # overlap about 0.57
    own = target * left_half
    remembered: list[Tensor] = []

    def remember(model: object, embeddings: object, masks: Tensor) -> Tensor:
        remembered.append(masks)
        return masks

    monkeypatch.setattr("training.losses._remember", remember)
    embeddings = torch.zeros(batch.queries.shape[:2].numel(), 1)
    per_class = torch.arange(len(batch.supports)).repeat_interleave(2)
    _conditional_slices(None, batch, embeddings, own * 2 - 1, per_class, np.random.default_rng(0))
    shown = [task for task in range(len(target)) if target[task].sum() > 200]
    kept = [any(mask[task].equal(slice_) for slice_ in own[task]) for mask in remembered for task in shown]
    assert all(kept) if own_masks else not any(kept)
