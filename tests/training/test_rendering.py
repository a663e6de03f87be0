"""Label slices as grey images."""

from __future__ import annotations

import numpy as np
from training.anatomy import random_anatomy
from training.rendering import enlarge, random_contrast, render


def test_images_lie_between_black_and_white_and_show_the_tissues() -> None:
    rng = np.random.default_rng(2)
    anatomy = random_anatomy(rng)
    labels = anatomy.patient(rng)[30:34]
    image = render(rng, labels, random_contrast(rng, anatomy), 96)
    assert image.shape == (4, 96, 96)
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.02


def test_enlarging_keeps_flat_regions_and_rounds_corners() -> None:
    labels = np.zeros((1, 4, 4), np.uint8)
    labels[0, 1:3, 1:3] = 7
    large = enlarge(labels)
    assert large.shape == (1, 8, 8)
    assert large[0, 2, 2] == 0  # the outer corner of the square goes to the background
    assert (large[0, 3:5, 3:5] == 7).all()
