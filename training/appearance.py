"""Patients of one episode as different scanners show them, so that shape, place and texture count.

Changes of a contrast need to know which tissue is which; changes of images are made after rendering, the same for all
slices of a patient. Which patients get which is drawn by the shares of `curriculum.Shares`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import binary_dilation

from .anatomy import AIR, Labels
from .curriculum import Shares
from .rendering import Contrast, Image, render, smooth_noise


def show(rng: np.random.Generator, labels: Labels, contrast: Contrast, target: int, size: int, shares: Shares) -> Image:
    """Render one patient's label slices (n, h, w) as images (n, size, size), changed by chance."""
    for share, change in (
        (shares.organ_reversed, organ_reversed),
        (shares.inverted, inverted),
        (shares.folded_remap, folded_remap),
        (shares.bright_fluid, bright_fluid),
    ):
        if rng.random() < share:
            contrast = change(rng, contrast, labels, target)
    images = render(rng, labels, contrast, size)
    for share, alter in (
        (shares.monotone_remap, monotone_remap),
        (shares.bias_field, bias_field),
        (shares.scanner_noise, scanner_noise),
    ):
        if rng.random() < share:
            images = alter(rng, images)
    return images


def organ_reversed(rng: np.random.Generator, contrast: Contrast, labels: Labels, target: int) -> Contrast:
    """Reflect the target's grey value at the mean of its surroundings: darker becomes brighter and the reverse."""
    shown = labels == target
    around = binary_dilation(shown, np.ones((1, 3, 3)), iterations=4) & ~shown & (labels != AIR)
    if not around.any():
        return contrast
    surroundings = float(contrast.mean[labels[around]].mean())
    mean = contrast.mean.copy()
    mean[target] = surroundings - rng.uniform(0.7, 1.3) * (mean[target] - surroundings)
    return replace(contrast, mean=mean)


def inverted(rng: np.random.Generator, contrast: Contrast, labels: Labels, target: int) -> Contrast:  # noqa: ARG001
    """Reflect the grey values of all tissues, except air, within the range of those shown."""
    low, high = _range(contrast, labels)
    mean = low + high - contrast.mean
    mean[AIR] = contrast.mean[AIR]
    return replace(contrast, mean=mean, window=None)


def bright_fluid(rng: np.random.Generator, contrast: Contrast, labels: Labels, target: int) -> Contrast:
    """Make one tissue, if it takes 3 to 35 % of the slices, much brighter than all others; the window follows it."""
    area = np.bincount(labels.ravel(), minlength=len(contrast.mean)) / labels.size
    area[[AIR, target]] = 0
    candidates = np.flatnonzero((area > 0.03) & (area < 0.35))
    if not len(candidates):
        return contrast
    low, high = _range(contrast, labels)
    mean = contrast.mean.copy()
    mean[rng.choice(candidates)] = high + rng.uniform(1, 3) * (high - low)
    return replace(contrast, mean=mean, window=None)


def folded_remap(rng: np.random.Generator, contrast: Contrast, labels: Labels, target: int) -> Contrast:  # noqa: ARG001
    """Send the tissues' grey values, except air's, through a random curve that rises to a peak, then falls."""
    low, high = _range(contrast, labels)
    scale = max(high - low, 1e-6)
    mean = (low + scale * _through(np.clip((contrast.mean - low) / scale, 0, 1), _folded(rng))).astype(np.float32)
    mean[AIR] = contrast.mean[AIR]
    return replace(contrast, mean=mean)


def _range(contrast: Contrast, labels: Labels) -> tuple[float, float]:
    """Least and greatest grey value of the tissues shown, without air."""
    shown = np.unique(labels[labels != AIR])
    values = contrast.mean[shown] if len(shown) else contrast.mean
    return float(values.min()), float(values.max())


def monotone_remap(rng: np.random.Generator, images: Image) -> Image:
    """Send grey values in [0, 1] through a random rising curve from 0 to 1."""
    return _through(images, _rising(rng))


def _rising(rng: np.random.Generator, knots: int = 7) -> Image:
    """Values of a rising curve at evenly spaced knots, 0 at the first and 1 at the last."""
    steps = rng.exponential(1, knots - 1) + 0.3
    return np.concatenate([[0], np.cumsum(steps) / steps.sum()]).astype(np.float32)


def _folded(rng: np.random.Generator) -> Image:
    """Values from 0 to 1 of a curve that rises, and from an inner knot on falls, at evenly spaced knots."""
    rising = _rising(rng)
    peak = int(rng.integers(len(rising) // 2, len(rising) - 1))
    folded = np.maximum(np.minimum(rising, 2 * rising[peak] - rising), 0)
    values: Image = folded / folded.max()
    return values


def _through(images: Image, values: Image) -> Image:
    """Images after a curve that is linear between ``values`` at evenly spaced grey values."""
    return np.interp(images, np.linspace(0, 1, len(values)), values).astype(np.float32)


def bias_field(rng: np.random.Generator, images: Image) -> Image:
    """Multiply by a smooth field, the same in all slices, that varies by a factor of about two to four."""
    _, height, width = images.shape
    field = np.exp(rng.uniform(0.2, 0.5) * smooth_noise(rng, (1, height, width), height / 3))
    brightened = images * field
    shaded: Image = (brightened / max(float(brightened.max()), 1e-6)).astype(np.float32)
    return shaded


def scanner_noise(rng: np.random.Generator, images: Image) -> Image:
    """Lose up to 60 % of the resolution along one in-plane axis, and add the noise of magnitude images (Rician)."""
    _, height, width = images.shape
    factor = rng.uniform(1, 2.5)
    coarse = (int(height / factor), width) if rng.random() < 0.5 else (height, int(width / factor))
    tensor = F.interpolate(torch.from_numpy(images)[:, None], coarse, mode="bilinear", antialias=True)
    blurred = F.interpolate(tensor, (height, width), mode="bilinear")[:, 0].numpy()
    sigma = np.float32(rng.uniform(0.01, 0.06))
    real, imaginary = sigma * rng.standard_normal((2, *images.shape), dtype=np.float32)
    noisy: Image = np.clip(np.hypot(blurred + real, imaginary), 0, 1)
    return noisy
