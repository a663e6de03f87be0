"""How good a network is on episodes that training never draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from sam2.modeling.sam2_base import SAM2Base

from .curriculum import UNCHANGED, Lesson, Shares
from .episode_stream import EpisodeStream
from .episodes import Batch
from .losses import copy_dice, episode_losses
from .precision import autocast

SEED = 10**6


@dataclass(frozen=True)
class CurveRow:
    """One row of the validation curve: means over the episodes of one kind."""

    step: int
    episodes: str
    """``as before``, or ``changed`` with the ingredients of `Shares`."""
    size: int
    loss: float
    matching: float
    copy_dice: float
    """Dice of laying the mean support mask on the query."""
    forward_dice: float
    self_dice: float
    false_area: float
    """Mean share of a slice without the class that forward propagation covers."""


@dataclass(frozen=True)
class HeldOut:
    """Episodes of one kind and size, the same each time."""

    episodes: str
    batches: tuple[Batch, ...]


def held_out(size: int, count: int, shares: Shares) -> list[HeldOut]:
    """Draw ``count`` batches without the ingredients of ``shares``, and as many that all have them."""
    kinds = {"as before": UNCHANGED, "changed": replace(shares, changed=1.0)}
    streams = {name: EpisodeStream(SEED, size, _always(Lesson(shares=kind))) for name, kind in kinds.items()}
    return [HeldOut(name, tuple(stream[i] for i in range(count))) for name, stream in streams.items()]


def _always(lesson: Lesson) -> Callable[[int], Lesson]:
    return lambda step: lesson  # noqa: ARG005


@torch.no_grad()
def validate(model: SAM2Base, step: int, kind: HeldOut) -> CurveRow:
    """Measure a network of the size of the episodes."""
    rng, device = np.random.default_rng(0), next(model.parameters()).device
    with autocast(device):
        rows = [episode_losses(model, batch.to(device), rng) for batch in kind.batches]
    return CurveRow(
        step,
        kind.episodes,
        model.image_size,
        loss=float(torch.stack([row.loss for row in rows]).mean()),
        matching=float(torch.stack([row.matching for row in rows]).mean()),
        copy_dice=float(torch.cat([copy_dice(batch) for batch in kind.batches]).nanmean()),
        forward_dice=float(torch.cat([row.forward_dice for row in rows]).nanmean()),
        self_dice=float(torch.cat([row.self_dice for row in rows]).nanmean()),
        false_area=float(torch.stack([row.false_area for row in rows]).nanmean()),
    )
