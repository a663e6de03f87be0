"""Episodes: support slices of some patients, query slices of another in order, and masks of two classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from .anatomy import Anatomy, Labels, random_anatomy
from .rendering import Contrast, Image, easy_contrast, grey_contrast, random_contrast, render, resize

Indices = NDArray[np.int64]

IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
N_QUERIES = 8
N_CLASSES = 2
N_TISSUES = 48
"""More than any anatomy has."""


@dataclass(frozen=True)
class Batch:
    """E episodes with N supports and K queries each, C classes."""

    supports: Tensor
    """(E, N, 3, S, S) images, normalised."""
    queries: Tensor
    """(E, K, 3, S, S)."""
    support_masks: Tensor
    """(E, C, N, S, S), 0 or 1."""
    query_masks: Tensor
    """(E, C, K, S, S), 0 or 1."""
    imperfect_masks: Tensor
    """(E, C, K, S, S): the query masks with mistakes, as conditional slices have them."""
    support_tissues: Tensor
    """(E, N, T, s, s) share of each tissue in a token of the encoder's top level (s = S / 16)."""
    query_tissues: Tensor
    """(E, K, T, s, s)."""


@dataclass(frozen=True)
class Family:
    """Patients of one anatomy, drawn once and used for many episodes."""

    anatomy: Anatomy
    patients: tuple[Labels, ...]
    easy: bool
    """Plain anatomy, patients who differ little, whole slices."""
    draw_contrast: Callable[[np.random.Generator, Anatomy], Contrast]
    """How scanners show it."""


def random_family(rng: np.random.Generator, n_patients: int = 3, easy: bool = False) -> Family:
    """Draw an anatomy and ``n_patients`` patients who have it; tissues of ``easy`` ones have distinct grey values."""
    anatomy = random_anatomy(rng, easy)
    amount = float(rng.uniform(0.04, 0.08 if easy else 0.14))
    patients = tuple(anatomy.patient(rng, amount) for _ in range(n_patients))
    return Family(anatomy, patients, easy, easy_contrast if easy else random_contrast)


def blob_family(rng: np.random.Generator, n_patients: int = 3) -> Family:
    """Draw patients with a few blobs of random grey values, some of them alike, in a plain body."""
    return replace(random_family(rng, n_patients, easy=True), draw_contrast=grey_contrast)


def random_batch(
    rng: np.random.Generator, families: list[Family], n_episodes: int, n_supports: int, size: int
) -> Batch:
    """Draw a batch of episodes from families chosen at random."""
    episodes = []
    while len(episodes) < n_episodes:
        family = families[rng.integers(len(families))]
        episode = _random_episode(rng, family, n_supports, size)
        if episode is not None:
            episodes.append(episode)
    supports, queries, *others = (torch.from_numpy(np.stack(parts)) for parts in zip(*episodes, strict=True))
    return Batch(_normalise(supports), _normalise(queries), *others)


class EpisodeStream:
    """Batches for ever.

    Parameters
    ----------
    seed : int
        Batches of streams with one seed have the same shapes, so that processes keep step with each other.
    size : int
        Side of the images.
    rank : int
        Number of the process, for episodes of its own.
    pool_size, uses : int
        Families kept at a time, and episodes after which a new one takes the oldest one's place.
    """

    def __init__(self, seed: int, size: int, rank: int = 0, pool_size: int = 160, uses: int = 20) -> None:
        self._size, self._pool_size, self._uses = size, pool_size, uses
        self._shapes = np.random.default_rng([seed, 0])
        self._rng = np.random.default_rng([seed, 1, rank])
        self._families: list[Family] = []
        self._served = 0

    def draw_share(self) -> float:
        """Draw a number from 0 to 1, the same in all processes."""
        return float(self._shapes.random())

    def draw(self, easy: float = 0.0, blobs: float = 0.0, warped: float = 0.0) -> Batch:
        """Draw a batch; new families are ``easy`` or ``blobs``, and batches ``warped``, with these probabilities."""
        while len(self._families) < 6 or self._served >= self._uses:
            share = self._rng.random()
            plain = share < easy
            family = blob_family(self._rng) if easy <= share < easy + blobs else random_family(self._rng, easy=plain)
            self._families = [*self._families[-self._pool_size + 1 :], family]
            self._served = 0
        n_supports, n_episodes = _batch_shape(self._shapes)
        self._served += n_episodes
        batch = random_batch(self._rng, self._families, n_episodes, n_supports, self._size)
        return warped_batch(batch, self._rng) if self.draw_share() < warped else batch


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


def _batch_shape(rng: np.random.Generator) -> tuple[int, int]:
    """Supports per episode, most often the ten of the paper, and episodes per batch: about 24 slices, two at least."""
    n_supports = int(rng.choice([1, 2, 4, 6, 10], p=[0.1, 0.15, 0.2, 0.2, 0.35]))
    return n_supports, max(2, round(24 / (n_supports + N_QUERIES)))


def _random_episode(rng: np.random.Generator, family: Family, n_supports: int, size: int) -> tuple[Image, ...] | None:
    """Images and masks of one episode, or None when the draw shows no target."""
    order = rng.permutation(len(family.patients))
    axis = int(rng.choice(3, p=[0.6, 0.2, 0.2]))
    volumes = [np.moveaxis(family.patients[i], axis, 0) for i in order]
    target = random_target(rng, family, volumes[-1])
    zoom = float(np.exp(rng.uniform(0, np.log(3.5)))) if rng.random() < 0.6 and not family.easy else 1.0
    n_support_volumes = min(n_supports, int(rng.integers(1, len(volumes))))
    support_labels = []
    for j in range(n_support_volumes):
        count = len(range(j, n_supports, n_support_volumes))
        slices = _support_slices(rng, volumes[j], target, count, zoom)
        if slices is None:
            return None
        support_labels.append(slices)
    query_labels = _query_slices(rng, volumes[-1], target, zoom)
    if query_labels is None:
        return None
    contrast = family.draw_contrast(rng, family.anatomy)
    support_images = [render(rng, labels, contrast.varied(rng), size) for labels in support_labels]
    query_images = render(rng, query_labels, _query_contrast(rng, contrast, family), size)
    classes = _classes(rng, family.anatomy, support_labels, target)
    support_masks = np.stack([np.concatenate([class_masks(s, ids, size) for s in support_labels]) for ids in classes])
    query_masks = np.stack([class_masks(query_labels, ids, size) for ids in classes])
    imperfect = np.stack([_with_mistakes(rng, query_labels, ids, size) for ids in classes])
    support_tissues = np.concatenate([_tissues(labels, size // 16) for labels in support_labels])
    query_tissues = _tissues(query_labels, size // 16)
    images = np.concatenate(support_images), query_images
    return _same_flip(rng, *images, support_masks, query_masks, imperfect, support_tissues, query_tissues)


def random_target(rng: np.random.Generator, family: Family, volume: Labels) -> int:
    """A target label, larger structures somewhat more often than tiny ones."""
    sizes = np.bincount(volume.ravel(), minlength=family.anatomy.n_labels)[list(family.anatomy.targets)]
    weights = (sizes + 1.0) ** 0.8
    return int(rng.choice(family.anatomy.targets, p=weights / weights.sum()))


def _query_contrast(rng: np.random.Generator, contrast: Contrast, family: Family) -> Contrast:
    other = rng.random() < 0.08 and not family.easy
    return random_contrast(rng, family.anatomy) if other else contrast.varied(rng)


def _support_slices(rng: np.random.Generator, volume: Labels, target: int, count: int, zoom: float) -> Labels | None:
    """``count`` slices that show the target, cut to a field of view."""
    present = np.flatnonzero((volume == target).sum((1, 2)) > 12)
    if len(present) < count:
        return None
    chosen = volume[np.sort(rng.choice(present, count, replace=False))]
    cut = _field_of_view(rng, volume, target, zoom)
    chosen = chosen[:, cut[0], cut[1]]
    return chosen if ((chosen == target).sum((1, 2)) > 6).all() else None


def _query_slices(rng: np.random.Generator, volume: Labels, target: int, zoom: float) -> Labels | None:
    """Slices in order, across the target and beyond its ends or next to each other, cut to a field of view."""
    present = np.flatnonzero((volume == target).any((1, 2)))
    if not len(present):
        return None
    draw = (_slices_across, _slices_anywhere, _neighbours)[rng.choice(3, p=[0.45, 0.2, 0.35])]
    chosen = volume[draw(rng, present, len(volume))]
    if rng.random() < 0.5:
        chosen = np.ascontiguousarray(chosen[::-1])
    cut = _field_of_view(rng, volume, target, zoom)
    return chosen[:, cut[0], cut[1]]


def _slices_across(rng: np.random.Generator, present: Indices, depth: int) -> Indices:
    """Slices from all of the target's extent and as much again around it."""
    margin = max(N_QUERIES, round(0.5 * len(present)))
    low, high = max(0, int(present[0]) - margin), min(depth, int(present[-1]) + 1 + margin)
    return np.sort(rng.choice(np.arange(low, high), N_QUERIES, replace=False))


def _slices_anywhere(rng: np.random.Generator, present: Indices, depth: int) -> Indices:
    """Slices of the whole volume, some of which show the target."""
    count = int(rng.integers(1, 1 + min(N_QUERIES // 2, len(present))))
    others = np.setdiff1d(np.arange(depth), present)
    shown = rng.choice(present, count, replace=False)
    away = rng.choice(others, min(N_QUERIES - count, len(others)), replace=False)
    more = rng.choice(present, N_QUERIES - count - len(away))
    return np.sort(np.concatenate([shown, away, more]))


def _neighbours(rng: np.random.Generator, present: Indices, depth: int) -> Indices:
    """Every first to third slice around an end of the target, within it, or away from it."""
    step = int(rng.integers(1, 4))
    span = step * (N_QUERIES - 1)
    where = rng.random()
    if where < 0.4:
        middle = int(present[0] if rng.random() < 0.5 else present[-1])
    elif where < 0.85:
        middle = int(rng.choice(present))
    else:
        middle = int(rng.integers(depth))
    start = int(np.clip(middle - span // 2, 0, depth - span - 1))
    return start + step * np.arange(N_QUERIES)


def _field_of_view(rng: np.random.Generator, volume: Labels, target: int, zoom: float) -> tuple[slice, slice]:
    """In-plane crop of about 1/zoom of the volume that holds the target's centre somewhere inside."""
    profile = volume == target
    cuts = []
    for axis, size in ((1, volume.shape[1]), (2, volume.shape[2])):
        weights = profile.sum((0, 3 - axis)).astype(float)
        centre = (weights * np.arange(size)).sum() / max(weights.sum(), 1)
        length = int(np.clip(size / zoom * np.exp(rng.normal(0, 0.1)), 24, size))
        start = centre - length * np.clip(rng.normal(0.5, 0.12), 0.15, 0.85)
        start = int(np.clip(start, 0, size - length))
        cuts.append(slice(start, start + length))
    return cuts[0], cuts[1]


def _classes(rng: np.random.Generator, anatomy: Anatomy, supports: list[Labels], target: int) -> list[list[int]]:
    """The target, and a second class that all supports show (another label, or the target with a neighbour)."""
    slices = [part for labels in supports for part in labels]
    others = [i for i in anatomy.targets if i != target and all((part == i).sum() > 6 for part in slices)]
    if others and rng.random() < 0.9:
        return [[target], [int(rng.choice(others))]]
    return [[target], [target, int(rng.choice(anatomy.targets))]]


def class_masks(labels: Labels, ids: list[int], size: int) -> Image:
    """Masks (n, size, size), 0 or 1, of all ``ids`` together on label slices (n, h, w)."""
    return (resize(np.isin(labels, ids).astype(np.float32), size) > 0.5).astype(np.float32)


def _tissues(labels: Labels, size: int) -> Image:
    """Share of each tissue in the cells of a size x size grid: (n, T, size, size)."""
    kinds = torch.from_numpy(np.ascontiguousarray(labels)).long()
    shares = torch.stack(
        [F.adaptive_avg_pool2d((kinds == t).float()[:, None], size)[:, 0] for t in range(N_TISSUES)], 1
    )
    result: Image = shares.numpy()
    return result


def _with_mistakes(rng: np.random.Generator, labels: Labels, ids: list[int], size: int) -> Image:
    """The masks as a first pass leaves them: rough edges, too fat or too thin, a bite taken, a leak."""
    soft = np.isin(labels, ids).astype(np.float32)
    if rng.random() < 0.3:
        neighbour = labels == rng.choice(labels.ravel())
        half = (np.arange(labels.shape[2]) > rng.integers(labels.shape[2]))[None, None]
        soft = np.where(neighbour & half & (gaussian_filter(soft, (0, 4, 4)) > 0.05), 1.0, soft)
    rough = rng.normal(0, 1, labels.shape).astype(np.float32)
    rough = gaussian_filter(rough, (0, 2.5, 2.5)) * 6 * rng.uniform(0.0, 0.45)
    soft = gaussian_filter(soft.astype(np.float32), (0, 1, 1)) + rough * (gaussian_filter(soft, (0, 2, 2)) > 0.05)
    masks: Image = (resize(soft, size) > rng.uniform(0.3, 0.7)).astype(np.float32)
    return masks


def _same_flip(rng: np.random.Generator, *parts: Image) -> tuple[Image, ...]:
    """Turn and mirror all slices of the episode in the same way (the orientation itself carries no meaning)."""
    turns, mirror = int(rng.integers(4)), rng.random() < 0.5
    result = []
    for part in parts:
        turned = np.rot90(part, turns, axes=(-2, -1))
        result.append(np.ascontiguousarray(turned[..., ::-1] if mirror else turned))
    return tuple(result)


def _normalise(images: Tensor) -> Tensor:
    return (images[..., None, :, :] - IMAGENET_MEAN) / IMAGENET_STD
