"""The start from which the memory works."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from training.alignment import align
from training.curriculum import Lesson
from training.episode_stream import EpisodeStream
from training.episodes import Batch
from training.losses import episode_losses

from napari_revsam2.sam2_backend.checkpoints.architectures import MINI


@pytest.mark.usefixtures("small_patients")
def test_an_aligned_network_finds_a_bright_disc_before_any_training() -> None:
    """Noise with discs: features of random weights tell bright from dark, and alignment makes masks of that."""
    torch.manual_seed(0)
    model = MINI.build(64)
    batch = EpisodeStream(5, 64, lambda step: Lesson(easy=1.0, follows=0.0))[0]
    images, masks = _discs(batch)
    with torch.no_grad():
        before = episode_losses(model, masks, np.random.default_rng(0))
        align(model, images)
        after = episode_losses(model, masks, np.random.default_rng(0))
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
