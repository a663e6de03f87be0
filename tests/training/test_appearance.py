"""Patients as other scanners show them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training import appearance
from training.anatomy import AIR, FAT, Labels
from training.appearance import (
    bias_field,
    bright_fluid,
    folded_remap,
    inverted,
    monotone_remap,
    organ_reversed,
    scanner_noise,
    show,
)
from training.curriculum import UNCHANGED
from training.rendering import Contrast, Image, render

ORGAN, FLUID, OTHER = 4, 5, 6
SEEDS = range(5)


@pytest.fixture
def labels() -> Labels:
    """Two slices of a body of fat in air, with three organs."""
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[:, 4:36, 4:36] = FAT
    labels[:, 8:18, 8:18] = ORGAN
    labels[:, 20:32, 20:32] = FLUID
    labels[:, 8:14, 24:34] = OTHER
    return labels


@pytest.fixture
def contrast() -> Contrast:
    """Air 0, fat 0.3, and organs of 0.5, 0.7 and 0.9, without noise."""
    mean = np.array([0, 0.3, 0, 0, 0.5, 0.7, 0.9], np.float32)
    return Contrast(mean, 0.1, np.zeros((7, 3), np.float32), noise=0, bias=0, window=(0, 1), gamma=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_monotone_remap_keeps_the_order_of_grey_values_and_both_ends(seed: int) -> None:
    ramp = np.linspace(0, 1, 50, dtype=np.float32)[None, None]
    remapped = monotone_remap(np.random.default_rng(seed), ramp)[0, 0]
    assert (np.diff(remapped) > 0).all()
    assert remapped[[0, -1]].tolist() == [0, 1]
    assert np.abs(remapped - ramp).max() > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_a_folded_remap_rises_to_a_peak_and_falls_and_leaves_air_alone(seed: int, contrast: Contrast) -> None:
    ramp = np.arange(50, dtype=np.uint8).reshape(1, 5, 10)
    mean = np.linspace(0, 1, 50, dtype=np.float32)
    folded = folded_remap(np.random.default_rng(seed), replace(contrast, mean=mean), ramp, ORGAN).mean
    assert folded[AIR] == mean[AIR]
    peak = int(folded.argmax())
    assert 10 < peak < 49
    assert (np.diff(folded[1 : peak + 1]) > 0).all()
    assert (np.diff(folded[peak:]) <= 0).all()
    assert folded[-1] < 0.8


def test_one_organ_reversed_lies_on_the_other_side_of_its_surroundings_alone(
    labels: Labels, contrast: Contrast
) -> None:
    mean = organ_reversed(np.random.default_rng(0), contrast, labels, ORGAN).mean
    assert 0 < mean[ORGAN] < mean[FAT] < contrast.mean[ORGAN]
    assert (np.delete(mean, ORGAN) == np.delete(contrast.mean, ORGAN)).all()


def test_an_organ_that_is_not_shown_is_not_reversed(labels: Labels, contrast: Contrast) -> None:
    assert organ_reversed(np.random.default_rng(0), contrast, labels, target=2) is contrast


def test_inverted_contrast_turns_the_order_of_tissues_around_and_air_stays_darkest(
    labels: Labels, contrast: Contrast
) -> None:
    mean = inverted(np.random.default_rng(0), contrast, labels, ORGAN).mean
    assert mean[[FAT, ORGAN, FLUID, OTHER]] == pytest.approx([0.9, 0.7, 0.5, 0.3])
    assert mean[AIR] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_bright_fluid_darkens_all_else_and_is_never_the_target(seed: int, labels: Labels, contrast: Contrast) -> None:
    rng = np.random.default_rng(seed)
    flooded = bright_fluid(rng, contrast, labels, ORGAN)
    assert flooded.mean[[AIR, ORGAN]] == pytest.approx(contrast.mean[[AIR, ORGAN]])
    image, before = render(rng, labels, flooded, 40), render(rng, labels, contrast, 40)
    assert image[:, 10:16, 10:16].mean() < 0.7 * before[:, 10:16, 10:16].mean()


def test_without_a_tissue_of_some_size_nothing_is_flooded(contrast: Contrast) -> None:
    plain = np.full((1, 10, 10), FAT, np.uint8)
    assert bright_fluid(np.random.default_rng(0), contrast, plain, ORGAN) is contrast


def test_a_bias_field_is_smooth_and_the_same_in_all_slices() -> None:
    field = bias_field(np.random.default_rng(0), np.full((3, 60, 60), 0.5, np.float32))
    assert (field == field[:1]).all()
    assert field.max() / field.min() > 1.3
    assert np.abs(np.diff(field[0], axis=0)).max() < 0.05


def test_another_scanners_noise_brightens_air_and_blurs_edges() -> None:
    image = np.zeros((1, 64, 64), np.float32)
    image[:, 32:] = 0.8
    noisy = np.concatenate([scanner_noise(np.random.default_rng(seed), image) for seed in SEEDS])
    assert noisy[:, :20].mean() > 0.005
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert noisy[:, 31].mean() > noisy[:, :20].mean() + 0.01  # the edge leaks


@pytest.mark.parametrize(
    "name",
    ["organ_reversed", "inverted", "folded_remap", "bright_fluid", "monotone_remap", "bias_field", "scanner_noise"],
)
def test_each_change_is_made_where_its_share_is_one_and_only_there(
    name: str, labels: Labels, contrast: Contrast, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def change(rng: np.random.Generator, first: Contrast | Image, *_: object) -> Contrast | Image:
        calls.append(name)
        return first

    monkeypatch.setattr(appearance, name, change)
    rng = np.random.default_rng(0)
    show(rng, labels, contrast, ORGAN, 40, UNCHANGED)
    assert not calls
    show(rng, labels, contrast, ORGAN, 40, replace(UNCHANGED, **{name: 1.0}))
    assert calls == [name]
