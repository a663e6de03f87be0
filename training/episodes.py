"""Episodes: support slices of some patients, query slices of another in order, and masks of two classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from .anatomy import Anatomy, Labels, random_anatomy
from .appearance import show
from .curriculum import UNCHANGED, Shares
from .query_slices import long_sweep, query_slices
from .rendering import Contrast, Image, easy_contrast, grey_contrast, random_contrast, resize

IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
N_QUERIES = 8
N_SWEEP = 20
"""Query slices of a long sweep."""
N_CLASSES = 2
N_TISSUES = 48
"""More than any anatomy has."""


@dataclass(frozen=True)
class Recipe:
    """What all episodes of a batch have in common."""

    n_episodes: int
    n_supports: int
    size: int
    """Side of the images."""
    sweep: bool = False
    """Whether the query slices are `N_SWEEP` in a row from within the target to beyond its end."""
    warped: bool = False
    """Whether the queries are warped copies of the supports."""
    follows: bool = True
    """Whether self propagation is trained too."""
    own_masks: bool = False
    """Whether conditional slices keep the network's own masks, mistakes included."""
    shares: Shares = UNCHANGED
    """How often episodes and patients have what makes them hard."""

    @property
    def n_queries(self) -> int:
        """Query slices of an episode."""
        return N_SWEEP if self.sweep else N_QUERIES


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
    recipe: Recipe

    def to(self, device: torch.device) -> Batch:
        """Put the tensors on a device."""
        tensors = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **tensors)


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
    rng: np.random.Generator, draw_family: Callable[[np.random.Generator], Family], recipe: Recipe
) -> Batch:
    """Draw a batch of episodes, each of a family that ``draw_family`` chooses."""
    episodes = []
    while len(episodes) < recipe.n_episodes:
        episode = _random_episode(rng, draw_family(rng), recipe)
        if episode is not None:
            episodes.append(episode)
    supports, queries, *others = (torch.from_numpy(np.stack(parts)) for parts in zip(*episodes, strict=True))
    return Batch(_normalise(supports), _normalise(queries), *others, recipe=recipe)


def _random_episode(rng: np.random.Generator, family: Family, recipe: Recipe) -> tuple[Image, ...] | None:
    """Images and masks of one episode, or None when the draw shows no target."""
    n_supports, size, shares = recipe.n_supports, recipe.size, recipe.shares
    order = rng.permutation(len(family.patients))
    axis = int(rng.choice(3, p=[0.6, 0.2, 0.2]))
    volumes = [np.moveaxis(family.patients[i], axis, 0) for i in order]
    target = _asked(rng, family, volumes[-1], shares)
    zoom = float(np.exp(rng.uniform(0, np.log(3.5)))) if rng.random() < 0.6 and not family.easy else 1.0
    n_support_volumes = min(n_supports, int(rng.integers(1, len(volumes))))
    support_labels = []
    for j in range(n_support_volumes):
        count = len(range(j, n_supports, n_support_volumes))
        slices = _support_slices(rng, volumes[j], target, count, zoom)
        if slices is None:
            return None
        support_labels.append(slices)
    query_labels = _query_slices(rng, volumes[-1], target, zoom, recipe)
    if query_labels is None:
        return None
    contrast = family.draw_contrast(rng, family.anatomy)
    support_images = [show(rng, labels, contrast.varied(rng), target, size, shares) for labels in support_labels]
    query_images = show(rng, query_labels, _query_contrast(rng, contrast, family), target, size, shares)
    classes = _classes(rng, family.anatomy, support_labels, target)
    support_masks = np.stack([np.concatenate([class_masks(s, ids, size) for s in support_labels]) for ids in classes])
    query_masks = np.stack([class_masks(query_labels, ids, size) for ids in classes])
    imperfect = np.stack([_with_mistakes(rng, query_labels, ids, size) for ids in classes])
    support_tissues = np.concatenate([_tissues(labels, size // 16) for labels in support_labels])
    query_tissues = _tissues(query_labels, size // 16)
    images = np.concatenate(support_images), query_images
    return _same_flip(rng, *images, support_masks, query_masks, imperfect, support_tissues, query_tissues)


def _asked(rng: np.random.Generator, family: Family, volume: Labels, shares: Shares) -> int:
    """The target: one of a mirrored pair or a thin structure by their shares, if the volume shows any, else any."""
    draw, anatomy = rng.random(), family.anatomy
    if draw < shares.mirrored_pairs:
        wanted = [label for pair in anatomy.pairs for label in pair]
    elif draw < shares.mirrored_pairs + shares.thin:
        wanted = list(anatomy.thin)
    else:
        wanted = []
    shown = [label for label in wanted if (volume == label).any()]
    return int(rng.choice(shown)) if shown else random_target(rng, family, volume)


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


def _query_slices(rng: np.random.Generator, volume: Labels, target: int, zoom: float, recipe: Recipe) -> Labels | None:
    """Slices in order, upward or downward, cut to a field of view."""
    present = np.flatnonzero((volume == target).any((1, 2)))
    if not len(present):
        return None
    draw = long_sweep if recipe.sweep else query_slices
    chosen = volume[draw(rng, present, len(volume), recipe.n_queries)]
    if rng.random() < 0.5:
        chosen = np.ascontiguousarray(chosen[::-1])
    cut = _field_of_view(rng, volume, target, zoom)
    return chosen[:, cut[0], cut[1]]


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
    """The target, and a second class that all supports show: its mirror image, another label, or both with the target.

    A mirror image that the supports show always comes as the second class.
    """
    slices = [part for labels in supports for part in labels]
    others = [i for i in anatomy.targets if i != target and all((part == i).sum() > 6 for part in slices)]
    others = [label for label in anatomy.mirror_of(target) if label in others] or others
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
