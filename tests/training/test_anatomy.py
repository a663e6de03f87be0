"""Anatomies and the patients who share one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training.anatomy import AIR, GRID, THIN, Anatomy, _random_blob, random_anatomy


def test_easy_anatomies_have_fewer_structures() -> None:
    counts = {easy: [len(random_anatomy(np.random.default_rng(i), easy).targets) for i in range(9)] for easy in (0, 1)}
    assert np.mean(counts[1]) < 0.8 * np.mean(counts[0])


def test_patients_of_one_anatomy_differ_but_share_their_organs() -> None:
    rng = np.random.default_rng(8)
    anatomy = random_anatomy(rng)
    first, second = anatomy.patient(rng), anatomy.patient(rng)
    assert first.shape == GRID
    assert 0.01 < (first != second).mean() < 0.6
    shared = set(np.unique(first)) & set(np.unique(second))
    assert len(shared) > 0.7 * len(set(np.unique(first)))


@pytest.fixture(scope="module")
def anatomies() -> list[Anatomy]:
    return [random_anatomy(np.random.default_rng(seed)) for seed in range(12)]


def test_a_mirrored_pair_lies_on_both_sides(anatomies: list[Anatomy]) -> None:
    pairs = [(anatomy, pair) for anatomy in anatomies for pair in anatomy.pairs]
    assert pairs
    for anatomy, (left, right) in pairs:
        sides = {s.label: s.centre[2] for s in anatomy.structures}
        assert sides[left] == pytest.approx(-sides[right], abs=0.15)
        assert anatomy.mirror_of(left) == (right,)
        assert anatomy.mirror_of(right) == (left,)


def test_what_has_no_counterpart_has_no_mirror_image(anatomies: list[Anatomy]) -> None:
    alone = set(anatomies[0].targets) - {label for pair in anatomies[0].pairs for label in pair}
    assert all(anatomies[0].mirror_of(label) == () for label in alone)


def test_thin_structures_are_those_with_a_small_half_axis(anatomies: list[Anatomy]) -> None:
    assert any(anatomy.thin for anatomy in anatomies)
    for anatomy in anatomies:
        assert set(anatomy.thin) == {s.label for s in anatomy.structures if min(s.radii) < THIN}


def test_the_mirror_image_of_a_nested_organ_is_filled() -> None:
    nested = replace(_random_blob(np.random.default_rng(0), 5, 0.5), inner="nested", inner_label=6)
    volume = np.full((20, 20, 20), 1, np.uint8)
    position = np.meshgrid(*[np.linspace(-1, 1, 20, dtype=np.float32)] * 3, indexing="ij")
    nested.mirrored(7).paint(volume, tuple(position))
    assert set(np.unique(volume)) == {1, 7}
    assert AIR not in volume
