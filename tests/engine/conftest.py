"""A small problem: a bright square on every slice, and a second, darker one."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.problem import QueryVolume, SupportSet, stack_supports

BRIGHT, DARK = 1, 5
GREY = {BRIGHT: 100.0, DARK: 50.0}


def paint(shape: tuple[int, int, int], shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels (M, H, W); slice 0 shows neither class."""
    labels = np.zeros(shape, np.uint8)
    labels[1:, 2 + shift : 6 + shift, 2:6] = BRIGHT
    labels[1:, 2 + shift : 6 + shift, 8:11] = DARK
    image = np.zeros(shape, np.float32)
    for label, grey in GREY.items():
        image[labels == label] = grey
    return image, labels


@pytest.fixture
def supports() -> SupportSet:
    """Four painted slices of a 10 x 12 volume."""
    return SupportSet(stack_supports(*paint((5, 10, 12)), (0.0, 100.0)))


@pytest.fixture
def query() -> QueryVolume:
    """Eight slices of 14 x 13."""
    return QueryVolume(paint((8, 14, 13), shift=3)[0], (0.0, 100.0))
