"""Batches whose queries are copies of the supports, turned, scaled and moved: nothing but content helps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .episodes import Batch


def warped_batch(batch: Batch, rng: np.random.Generator) -> Batch:
    """The same supports with queries that are turned, scaled and moved copies of them: nothing but content helps."""
    episodes, n_supports = batch.supports.shape[:2]
    n_queries = batch.queries.shape[1]
    source = torch.from_numpy(rng.integers(0, n_supports, (episodes, n_queries)))
    matrices = _similarities(rng, episodes * n_queries)
    rows = torch.arange(episodes)[:, None]

    def copies(images: Tensor) -> Tensor:
        """(E, N, C, s, s) -> (E, K, C, s, s)."""
        chosen = images[rows, source].flatten(0, 1)
        grid = F.affine_grid(matrices, list(chosen.shape), align_corners=False)
        warped = F.grid_sample(chosen, grid, padding_mode="border", align_corners=False)
        return warped.unflatten(0, (episodes, n_queries))

    queries = copies(batch.supports)
    noise = torch.from_numpy(rng.normal(0, 0.1, queries.shape).astype(np.float32))
    masks = copies(batch.support_masks.transpose(1, 2)).round().transpose(1, 2)
    return replace(
        batch,
        queries=queries + noise,
        query_masks=masks,
        imperfect_masks=masks,
        query_tissues=copies(batch.support_tissues),
    )


def _similarities(rng: np.random.Generator, count: int) -> Tensor:
    """Random turns by about 20 degrees, scales by 15 % and moves by 8 % of the image: (count, 2, 3)."""
    angle, scale = rng.normal(0, 0.4, count), np.exp(rng.normal(0, 0.15, count))
    x, y = rng.normal(0, 0.15, (2, count))
    first = np.stack([np.cos(angle) * scale, -np.sin(angle) * scale, x], axis=1)
    second = np.stack([np.sin(angle) * scale, np.cos(angle) * scale, y], axis=1)
    return torch.from_numpy(np.stack([first, second], axis=1).astype(np.float32))
