"""From label slices to grey images that look like CT or MR: contrast, texture, blur, bias, noise, window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from .anatomy import AIR, BONE, FAT, MUSCLE, Anatomy, Labels

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Contrast:
    """How one scanner shows each tissue of an anatomy."""

    mean: Image
    """(labels,) grey value."""
    spread: float
    """How far apart the grey values of soft tissues lie; noise, texture and day-to-day changes are small beside it."""
    texture: Image
    """(labels, 3) amplitude of fine, middle and coarse texture."""
    noise: float
    bias: float
    window: tuple[float, float] | None
    """Grey values shown as black and white; None takes the 0.5th and 99.5th percentile."""
    gamma: float

    def varied(self, rng: np.random.Generator) -> Contrast:
        """The same protocol on another day: slightly other values, another window."""
        mean = (self.mean + rng.normal(0, 0.15 * self.spread, self.mean.shape)).astype(np.float32)
        return Contrast(
            mean,
            self.spread,
            self.texture * np.float32(rng.uniform(0.7, 1.4)),
            self.noise * float(rng.uniform(0.6, 1.7)),
            self.bias * float(rng.uniform(0, 2)),
            self.window,
            self.gamma * float(np.exp(rng.normal(0, 0.08))),
        )


def random_contrast(rng: np.random.Generator, anatomy: Anatomy) -> Contrast:
    """Draw a CT-like or an MR-like contrast; in both, many tissues have a look-alike."""
    ct = rng.random() < 0.5
    spread = float(rng.uniform(0.02, 0.08) if ct else rng.uniform(0.15, 0.3))
    window = None
    if ct and rng.random() < 0.6:
        level, width = rng.uniform(0.0, 0.08), rng.uniform(0.25, 0.6)
        window = (float(level - width / 2), float(level + width / 2))
    strength = spread * (1.0 if rng.random() < 0.7 else rng.uniform(1.5, 4.0))
    texture = rng.gamma(1.0, 0.12, (anatomy.n_labels, 3)) * strength
    texture[AIR] = 0
    return Contrast(
        mean=_ct_means(rng, anatomy.n_labels, spread) if ct else _mr_means(rng, anatomy.n_labels, spread),
        spread=spread,
        texture=texture.astype(np.float32),
        noise=float(rng.uniform(0.05, 0.6)) * spread,
        bias=0.0 if ct else float(rng.uniform(0, 0.25)),
        window=window,
        gamma=1.0 if ct else float(np.exp(rng.normal(0, 0.25))),
    )


def grey_contrast(rng: np.random.Generator, anatomy: Anatomy) -> Contrast:
    """Draw a contrast in which every tissue has a random grey value, with texture, noise and bias field."""
    spread = float(rng.uniform(0.1, 0.25))
    mean = rng.uniform(0.1, 0.9, anatomy.n_labels).astype(np.float32)
    mean[AIR] = 0
    texture = (rng.gamma(1.0, 0.12, (anatomy.n_labels, 3)) * spread).astype(np.float32)
    texture[AIR] = 0
    noise, bias = float(rng.uniform(0.05, 0.5)) * spread, float(rng.uniform(0, 0.2))
    return Contrast(mean, spread, texture, noise, bias, window=(0.0, 1.0), gamma=float(np.exp(rng.normal(0, 0.2))))


def easy_contrast(rng: np.random.Generator, anatomy: Anatomy) -> Contrast:
    """Draw a contrast in which every tissue has a grey value of its own, with little texture and noise."""
    mean = rng.permutation(np.linspace(0.1, 0.9, anatomy.n_labels)).astype(np.float32)
    mean[AIR] = 0
    texture = rng.gamma(1.0, 0.004, (anatomy.n_labels, 3)).astype(np.float32)
    texture[AIR] = 0
    noise = float(rng.uniform(0, 0.03))
    return Contrast(mean, spread=0.05, texture=texture, noise=noise, bias=0.0, window=(0.0, 1.0), gamma=1.0)


def _ct_means(rng: np.random.Generator, n_labels: int, spread: float) -> Image:
    mean = rng.normal(0.04, spread, n_labels)
    bright = rng.random(n_labels)
    mean[bright < 0.1] += rng.uniform(0.08, 0.3, int((bright < 0.1).sum()))
    mean[bright > 0.94] = rng.uniform(-0.95, -0.1, int((bright > 0.94).sum()))
    mean[[AIR, FAT, MUSCLE, BONE]] = [-1.0, rng.uniform(-0.13, -0.08), 0.05, rng.uniform(0.25, 0.9)]
    return mean.astype(np.float32)


def _mr_means(rng: np.random.Generator, n_labels: int, spread: float) -> Image:
    levels = 0.55 + np.sqrt(12) * spread * rng.uniform(-0.5, 0.5, rng.integers(3, 9))
    mean = rng.choice(levels, n_labels) + rng.normal(0, 0.2 * spread, n_labels)
    mean[AIR] = rng.uniform(0, 0.05)
    mean[BONE] = rng.uniform(0, 0.3)
    return mean.astype(np.float32)


def render(rng: np.random.Generator, labels: Labels, contrast: Contrast, size: int) -> Image:
    """Render label slices (n, h, w) of one volume as images (n, size, size) with grey values in [0, 1]."""
    if rng.random() < 0.6:
        labels = enlarge(labels)
    image = contrast.mean[labels]
    for scale, correlation in enumerate((0.6, 2.0, 6.0)):
        image = image + contrast.texture[labels, scale] * smooth_noise(rng, labels.shape, correlation)
    image = gaussian_filter(image, (0, *rng.uniform(0.3, 1.1, 2)))
    image = image * np.exp(contrast.bias * smooth_noise(rng, (1, *labels.shape[1:]), labels.shape[1] / 4))
    image = image + contrast.noise * smooth_noise(rng, labels.shape, float(rng.choice([0.0, 0.5, 0.8])))
    image = resize(image, size)
    low, high = contrast.window or np.percentile(image, [0.5, 99.5])
    image = np.clip((image - low) / (high - low + 1e-6), 0, 1)
    return (image**contrast.gamma).astype(np.float32)


def enlarge(labels: Labels) -> Labels:
    """Double the resolution of label slices with smooth edges (the EPX rule: a corner takes its two equal sides)."""
    n, height, width = labels.shape
    padded = np.pad(labels, ((0, 0), (1, 1), (1, 1)), mode="edge")
    up, down = padded[:, :-2, 1:-1], padded[:, 2:, 1:-1]
    left, right = padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]
    result = np.empty((n, 2 * height, 2 * width), labels.dtype)
    corners = (
        (0, 0, up, left, down, right),
        (0, 1, up, right, down, left),
        (1, 0, down, left, up, right),
        (1, 1, down, right, up, left),
    )
    for row, column, a, b, not_a, not_b in corners:
        result[:, row::2, column::2] = np.where((a == b) & (a != not_a) & (b != not_b), a, labels)
    return result


def resize(images: Image, size: int) -> Image:
    """Resize (n, h, w) to (n, size, size), bilinear."""
    tensor = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))[:, None]
    resized: Image = F.interpolate(tensor, size=(size, size), mode="bilinear", antialias=True)[:, 0].numpy()
    return resized


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], correlation: float) -> Image:
    """Unit-variance noise whose in-plane correlation length is ``correlation`` pixels."""
    n, height, width = shape
    if correlation < 0.3:
        return rng.standard_normal(shape, dtype=np.float32)
    if correlation > 1.5:
        coarse = rng.standard_normal(
            (n, max(2, int(height / correlation)), max(2, int(width / correlation))), dtype=np.float32
        )
        tensor = F.interpolate(torch.from_numpy(coarse)[:, None], size=(height, width), mode="bicubic")[:, 0]
        return tensor.numpy()
    noise = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), (0, correlation, correlation))
    return noise / noise.std()
