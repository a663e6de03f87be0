"""What a wrong mask costs."""

from __future__ import annotations

import pytest
import torch
from training.losses import dice, mask_loss, presence_loss


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
