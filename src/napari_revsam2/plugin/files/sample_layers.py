"""File > Open Sample: three painted subjects and a query, ready for Run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.sample_data import sample_query, sample_supports

from .volume_reader import LayerData, read_layer

_PAINTED = (4, 3, 3)
"""Slices left painted in each subject: ten in all, as in the paper."""


def hippocampus() -> list[LayerData]:
    """Give the layers of three supports, with ten painted slices in all, and of the query, which alone is visible."""
    layers: list[LayerData] = []
    for (image_path, labels_path), count in zip(sample_supports(), _PAINTED, strict=True):
        image, labels = read_layer(image_path), read_layer(labels_path)
        _keep_painted(labels[0], count)
        layers += [_hidden(image), _hidden(labels)]
    data, attributes, kind = read_layer(sample_query()[0])
    limits = tuple(float(grey) for grey in np.percentile(data, (0.5, 99.5)))
    return [*layers, (data, {**attributes, "contrast_limits": limits}, kind)]


def _keep_painted(labels: NDArray[Any], count: int) -> None:
    """Wipe all but ``count`` evenly spread painted slices of (M, H, W), in place."""
    painted = np.flatnonzero(labels.any((1, 2)))
    kept = painted[((np.arange(count) + 0.5) * len(painted) / count).astype(int)]
    labels[np.setdiff1d(painted, kept)] = 0


def _hidden(layer: LayerData) -> LayerData:
    data, attributes, kind = layer
    return data, {**attributes, "visible": False}, kind
