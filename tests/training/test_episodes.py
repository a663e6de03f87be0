"""The procedural episodes that the bundled checkpoint learns from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from training.curriculum import UNCHANGED
from training.episodes import N_CLASSES, N_QUERIES, Batch, Family, Recipe, _classes, random_batch, random_family

SIZE = 64
RECIPE = Recipe(n_episodes=3, n_supports=2, size=SIZE)


@pytest.fixture(scope="module")
def families() -> list[Family]:
    """Two families, one with mirrored pairs and thin structures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.anatomy.GRID", (40, 56, 56))
        return [random_family(np.random.default_rng(seed)) for seed in (0, 1)]


def draw(families: list[Family], recipe: Recipe = RECIPE, seed: int = 0) -> Batch:
    return random_batch(np.random.default_rng(seed), lambda rng: families[rng.integers(len(families))], recipe)


def test_a_seed_gives_the_same_episodes(families: list[Family]) -> None:
    first, again, other = draw(families), draw(families), draw(families, seed=1)
    assert first.supports.equal(again.supports)
    assert first.query_masks.equal(again.query_masks)
    assert not first.supports.equal(other.supports)


def test_a_batch_has_the_shapes_it_promises(families: list[Family]) -> None:
    batch = draw(families)
    assert batch.supports.shape == (3, 2, 3, SIZE, SIZE)
    assert batch.queries.shape == (3, N_QUERIES, 3, SIZE, SIZE)
    assert batch.support_masks.shape == (3, N_CLASSES, 2, SIZE, SIZE)
    assert batch.query_masks.shape == batch.imperfect_masks.shape == (3, N_CLASSES, N_QUERIES, SIZE, SIZE)


def test_the_first_class_is_painted_on_every_support(families: list[Family]) -> None:
    batch = draw(families, replace(RECIPE, n_episodes=12))
    assert batch.support_masks[:, 0].flatten(2).any(2).float().mean() > 0.9  # tiny ones may vanish at 64 px
    assert set(batch.query_masks.unique().tolist()) <= {0.0, 1.0}


def test_tissue_shares_sum_to_one(families: list[Family]) -> None:
    shares = draw(families).query_tissues
    torch.testing.assert_close(shares.sum(2), torch.ones_like(shares[:, :, 0]))


@pytest.mark.parametrize(("share", "wanted"), [("mirrored_pairs", "pairs"), ("thin", "thin")])
def test_an_ingredient_decides_what_is_asked_for(
    families: list[Family], share: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def record(rng: object, anatomy: object, supports: object, target: int) -> list[list[int]]:
        asked.append(target)
        return [[target], [target]]

    monkeypatch.setattr("training.episodes._classes", record)
    family = families[1]
    draw([family], replace(RECIPE, shares=replace(UNCHANGED, **{share: 1.0})))
    assert len(asked) == RECIPE.n_episodes
    assert set(asked) <= set(np.ravel(getattr(family.anatomy, wanted)))


def test_the_other_one_of_a_pair_is_the_second_class_where_all_supports_show_it(families: list[Family]) -> None:
    anatomy = families[1].anatomy
    left, right = anatomy.pairs[0]
    supports = [np.repeat(np.array(anatomy.targets, np.uint8), 10).reshape(1, 1, -1)]
    classes = [_classes(np.random.default_rng(seed), anatomy, supports, left) for seed in range(9)]
    assert classes.count([[left], [right]]) > 5
    supports[0][supports[0] == right] = 0
    assert [[left], [right]] not in [_classes(np.random.default_rng(s), anatomy, supports, left) for s in range(9)]
