"""Both propagations of the method on a batch of episodes, and what is wrong with their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.sam2_backend import sam2_memory
from napari_revsam2.sam2_backend.sam2_memory import MemoryEntry, SliceEmbeddings, SliceMemories

from .episodes import Batch
from .matching import matching_loss

MATCHING_WEIGHT = 2.0
SURE_PIXELS = 5
"""Pixels of a low-resolution mask that decide whether a slice shows the class."""


@dataclass(frozen=True)
class Losses:
    """Loss and foreground Dice of the two ways a mask travels."""

    loss: Tensor
    matching: Tensor
    """Part of the loss: how well the encoder's features alone find tissues again."""
    forward_dice: Tensor
    """(E * C,) Dice over the query slices given another patient's slices; nan where the class is absent."""
    self_dice: Tensor
    """(E * C,) the same given slices of the query itself."""
    false_area: Tensor
    """Mean foreground share that forward propagation invents on slices without the class."""


def feature_loss(model: SAM2Base, batch: Batch) -> Losses:
    """How badly the image encoder's features alone find tissues again (`matching_loss`); no masks."""
    images = torch.cat([batch.supports.flatten(0, 1), batch.queries.flatten(0, 1)])
    matching = _matching(sam2_memory.embed_slices(model, images), batch)
    unknown = torch.tensor(torch.nan)
    return Losses(matching, matching, unknown, unknown, unknown)


def _matching(embeddings: SliceEmbeddings, batch: Batch) -> Tensor:
    episodes, n_supports = batch.supports.shape[:2]
    support, query = embeddings.top[: episodes * n_supports], embeddings.top[episodes * n_supports :]
    return matching_loss(
        support.unflatten(0, (episodes, -1)),
        query.unflatten(0, (episodes, -1)),
        batch.support_tissues,
        batch.query_tissues,
    )


def episode_losses(model: SAM2Base, batch: Batch, rng: np.random.Generator) -> Losses:
    """One batch of E episodes, N supports, K queries, C classes: forward, and self propagation if it follows."""
    device = batch.supports.device
    episodes, n_supports = batch.supports.shape[:2]
    n_queries, n_classes = batch.queries.shape[1], batch.query_masks.shape[1]
    images = torch.cat([batch.supports.flatten(0, 1), batch.queries.flatten(0, 1)])
    embeddings = sam2_memory.embed_slices(model, images)
    support, query = embeddings[: episodes * n_supports], embeddings[episodes * n_supports :]

    per_class = torch.arange(episodes, device=device).repeat_interleave(n_classes)  # episode of each of the E*C tasks
    bank = [
        MemoryEntry(_remember(model, support[per_class * n_supports + i], batch.support_masks[:, :, i].flatten(0, 1)))
        for i in range(n_supports)
    ]
    target = batch.query_masks.flatten(0, 1)  # (E*C, K, S, S)
    tasks = per_class.repeat_interleave(n_queries)
    slices = tasks * n_queries + torch.arange(n_queries, device=device).repeat(len(per_class))
    spread = torch.arange(len(per_class), device=device).repeat_interleave(n_queries)
    wide = [MemoryEntry(entry.memory[spread]) for entry in bank]
    forward = sam2_memory.segment_from_memory(model, query[slices], wide, 1).logits
    forward = forward.reshape(len(per_class), n_queries, *forward.shape[-2:])

    loss = mask_loss(forward, target) + presence_loss(forward, target)
    self_dice = torch.full((len(per_class),), torch.nan, device=device)
    if batch.recipe.follows:
        if rng.random() < 0.8:
            conditional = _conditional_slices(model, batch, query, forward.detach(), per_class, rng)
        else:
            conditional = bank  # mode fifo: the supports stay conditional
        followed = _self_propagation(model, query, conditional, per_class, n_queries)
        loss = loss + mask_loss(followed, target) + presence_loss(followed, target)
        self_dice = dice(followed, target)
    matching = _matching(embeddings, batch)
    absent = target.flatten(2).sum(2) == 0
    invented = (forward > 0).float().mean((2, 3))
    return Losses(
        loss + MATCHING_WEIGHT * matching,
        matching,
        dice(forward, target),
        self_dice,
        invented[absent].mean(),  # nan where every slice shows the class
    )


def mask_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Focal loss plus soft Dice over all K slices, at half resolution: (T, K, s, s) logits against (T, K, S, S) masks.

    Dice over all slices, as it is measured: what is invented on a slice without the class counts as much as what is
    missed on another.
    """
    size = target.shape[-1] // 2
    logits = F.interpolate(logits.float(), size=(size, size), mode="bilinear", align_corners=False)
    target = F.avg_pool2d(target, 2)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probability = logits.sigmoid()
    focal = (entropy * (probability - target).abs().clamp(min=0.05)).mean((2, 3))
    overlap = (probability * target).sum((1, 2, 3))
    soft_dice = 1 - (2 * overlap + 20) / (probability.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 20)
    return 5 * focal.mean() + soft_dice.mean()


def presence_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of whether each slice shows the class, by its surest pixels.

    A small blob invented on a slice without the class, or a small end that is missed, weighs little in `mask_loss`;
    here each slice counts the same. (T, K, s, s) logits against (T, K, S, S) masks; slices that show less than the
    surest pixels' area don't count.
    """
    surest = logits.float().flatten(2).topk(SURE_PIXELS, dim=2).values.mean(2)
    area = F.adaptive_avg_pool2d(target, logits.shape[-2:]).flatten(2).sum(2)
    entropy = F.binary_cross_entropy_with_logits(surest, (area > 0).float(), reduction="none")
    counts = (area == 0) | (area >= SURE_PIXELS)
    return (entropy * counts).sum() / counts.sum().clamp(min=1)


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """Dice of each task over its slices; nan where the target is empty."""
    full = F.interpolate(logits.float(), size=target.shape[-2:], mode="bilinear", align_corners=False) > 0
    truth = target > 0.5
    overlap = (full & truth).sum((1, 2, 3)).float()
    total = (full.sum((1, 2, 3)) + truth.sum((1, 2, 3))).float()
    return torch.where(truth.any(3).any(2).any(1), 2 * overlap / total, torch.nan)


def _remember(model: SAM2Base, embeddings: SliceEmbeddings, masks: Tensor) -> SliceMemories:
    return sam2_memory.remember_masks(model, embeddings, masks[:, None])


def _conditional_slices(
    model: SAM2Base, batch: Batch, query: SliceEmbeddings, forward: Tensor, per_class: Tensor, rng: np.random.Generator
) -> list[MemoryEntry]:
    """One to seven query slices as memories: their own prediction where it is good, else a mask with mistakes.

    What is good depends on the recipe: nearly all, or what a high score would choose.
    """
    least, share = (0.25, 1.0) if batch.recipe.own_masks else (0.6, 0.7)
    n_queries = batch.queries.shape[1]
    target, imperfect = batch.query_masks.flatten(0, 1), batch.imperfect_masks.flatten(0, 1)
    present = target.flatten(2).sum(2) > 0
    predicted = F.interpolate(forward.float(), size=target.shape[-2:], mode="bilinear", align_corners=False) > 0
    entries = []
    rows = torch.arange(len(target), device=target.device)
    for _ in range(int(rng.integers(1, 8))):
        index = (present + 0.5 * torch.from_numpy(rng.random(present.shape)).to(present.device)).argmax(1)
        own, truth, mistaken = predicted[rows, index].float(), target[rows, index], imperfect[rows, index]
        overlap = 2 * (own * truth).sum((1, 2)) / (own.sum((1, 2)) + truth.sum((1, 2)) + 1)
        use_own = (overlap > least) & torch.from_numpy(rng.random(len(index)) < share).to(overlap.device)
        masks = torch.where(use_own[:, None, None], own, mistaken)
        entries.append(MemoryEntry(_remember(model, query[per_class * n_queries + index], masks)))
    return entries


def _self_propagation(
    model: SAM2Base, query: SliceEmbeddings, conditional: list[MemoryEntry], per_class: Tensor, n_queries: int
) -> Tensor:
    """One sweep over the K query slices with the queue of recent ones: logits (E*C, K, s, s)."""
    recent: list[SliceMemories] = []
    logits = []
    for position in range(n_queries):
        embeddings = query[per_class * n_queries + position]
        reached = [i for i in range(position) if position - i < model.num_maskmem]
        queue = [MemoryEntry(recent[i], model.num_maskmem - (position - i)) for i in reached]
        prediction = sam2_memory.segment_from_memory(model, embeddings, [*conditional, *queue], 1)
        logits.append(prediction.logits)
        recent.append(sam2_memory.remember_prediction(model, embeddings, prediction))
    return torch.cat(logits, dim=1)


def copy_dice(batch: Batch) -> Tensor:
    """Dice (E * C,) of the mean support mask, cut at a half and laid on each query: what no network needs."""
    mean = batch.support_masks.mean(2, keepdim=True).expand_as(batch.query_masks)
    return dice((mean - 0.499).flatten(0, 1), batch.query_masks.flatten(0, 1))
