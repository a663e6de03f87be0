"""The nearest support goes along with its image."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.evaluation.systems.registration import Registration

LABEL = 3
LIMITS = (-20.0, 120.0)
SPACING = (1.0, 1.0, 1.0)


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float = 0.2, seed: int = 0):
    """A bright disc in noise, in parts of the image; and where it is."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    inside = np.hypot(rows / shape[0] - centre[0], columns / shape[1] - centre[1]) < radius
    noise = np.random.default_rng(seed).normal(0, 5, shape)
    return (100 * inside + noise).astype(np.float32), inside


def support(image: np.ndarray, inside: np.ndarray, limits=LIMITS) -> SupportSlice:
    return SupportSlice(image, np.where(inside, LABEL, 0), limits)


def segment(supports, *images: np.ndarray, limits=LIMITS) -> np.ndarray:
    query = QueryVolume(np.stack(images), limits)
    return Registration().segment(tuple(supports), LABEL, query, SPACING, np.zeros(query.shape, bool))


def test_a_disc_that_moved_and_grew_is_found_again_at_another_size():
    image, inside = disc((100, 64), (0.55, 0.52), 0.22)
    result = segment([support(*disc((60, 80), (0.42, 0.4), seed=1))], image)
    assert result.shape == (1, 100, 64)
    assert result.dtype == bool
    assert dice(result[0], inside) > 0.9


def test_grey_values_may_run_the_other_way():
    dark, inside = disc((64, 64), (0.5, 0.55))
    result = segment([support(*disc((64, 64), (0.45, 0.45), seed=1))], 400 - 3 * dark, limits=(40.0, 460.0))
    assert dice(result[0], inside) > 0.9


def test_each_query_slice_takes_its_nearest_support():
    left, right = disc((60, 60), (0.5, 0.25), 0.1, seed=1), disc((60, 60), (0.5, 0.75), 0.15, seed=2)
    shown = [disc((60, 60), (0.52, 0.73), 0.15), disc((60, 60), (0.48, 0.27), 0.1)]
    result = segment([support(*left), support(*right)], *(image for image, _ in shown))
    assert [dice(mask, inside) > 0.9 for mask, (_, inside) in zip(result, shown, strict=True)] == [True, True]


def test_a_constant_slice_gets_the_mask_as_it_is():
    image, inside = disc((50, 40), (0.4, 0.5))
    result = segment([support(image, inside)], np.zeros((50, 40), np.float32))
    np.testing.assert_array_equal(result[0], inside)


def test_other_classes_of_the_support_stay_behind():
    image, inside = disc((48, 48), (0.5, 0.5))
    labels = np.where(inside, LABEL, LABEL + 1)
    result = segment([SupportSlice(image, labels, LIMITS)], image)
    assert dice(result[0], inside) > 0.9


@pytest.mark.parametrize("shape", [(5, 200), (1, 7), (700, 300)])
def test_slices_of_any_size_are_taken(shape):
    result = segment([support(*disc((48, 48), (0.5, 0.5)))], disc(shape, (0.5, 0.5))[0])
    assert result.shape == (1, *shape)


def test_it_gives_the_same_again():
    supports = [support(*disc((60, 80), (0.42, 0.4), seed=1))]
    image = disc((100, 64), (0.55, 0.52))[0]
    np.testing.assert_array_equal(segment(supports, image), segment(supports, image))


def test_nothing_is_missing():
    assert Registration().missing() == ""
