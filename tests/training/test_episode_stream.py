"""Batches by number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training.curriculum import UNCHANGED, Lesson, Shares
from training.episode_stream import EpisodeStream
from training.episodes import N_QUERIES, N_SWEEP, Batch

SIZE = 64


def stream(seed: int = 3, shares: Shares = UNCHANGED, **options: int) -> EpisodeStream:
    return EpisodeStream(seed, SIZE, lambda step: Lesson(shares=shares), **options)


def equal(first: Batch, second: Batch) -> bool:
    return first.supports.equal(second.supports) and first.query_masks.equal(second.query_masks)


@pytest.mark.usefixtures("small_patients")
def test_a_batch_is_the_same_whatever_was_drawn_before_it() -> None:
    one, other = stream(), stream()
    batches = [one[i] for i in range(3)]
    assert equal(other[2], batches[2])
    assert equal(one[1], batches[1])
    assert not equal(batches[0], batches[1])


@pytest.mark.usefixtures("small_patients")
def test_processes_draw_other_episodes_of_the_same_shape_at_each_step() -> None:
    both = stream(processes=2)
    first, second = both[0], both[1]
    assert first.supports.shape == second.supports.shape
    assert first.recipe == second.recipe
    assert not first.supports.equal(second.supports)


def test_new_families_replace_old_ones() -> None:
    drawn = set()
    short = stream()
    short._family = lambda stripe, number: drawn.add(number)
    with pytest.raises(AttributeError):  # no family, no episode
        short[10_000]
    assert min(drawn) > 2000


def test_half_of_the_recipes_are_changed_and_the_others_are_as_before() -> None:
    recipes = [stream(shares=Shares()).recipe(step) for step in range(400)]
    before = [recipe for recipe in recipes if recipe.shares == UNCHANGED]
    assert 0.4 < len(before) / len(recipes) < 0.6
    assert not any(recipe.sweep or recipe.own_masks for recipe in before)
    changed = [recipe for recipe in recipes if recipe.shares != UNCHANGED]
    assert 0.2 < np.mean([recipe.sweep for recipe in changed]) < 0.4
    assert 0.5 < np.mean([recipe.own_masks for recipe in changed]) < 0.7
    assert all(recipe.n_queries == (N_SWEEP if recipe.sweep else N_QUERIES) for recipe in recipes)


def test_large_batches_are_a_share_of_all_where_there_is_a_larger_size() -> None:
    assert {stream(shares=Shares()).recipe(step).size for step in range(50)} == {SIZE}
    sizes = [stream(shares=Shares(), large_size=96).recipe(step).size for step in range(200)]
    assert 0.4 < sizes.count(96) / 200 < 0.6


def test_more_slices_make_more_episodes() -> None:
    few, many = (stream(slices=slices).recipe(1) for slices in (24, 96))
    assert many.n_episodes > 2 * few.n_episodes
    assert many.n_supports == few.n_supports


@pytest.mark.usefixtures("small_patients")
def test_a_changed_batch_has_the_shapes_it_promises() -> None:
    everything = Shares(**dict.fromkeys(vars(UNCHANGED), 1.0))
    batch = stream(shares=everything)[0]
    episodes, n_supports = batch.recipe.n_episodes, batch.recipe.n_supports
    assert batch.queries.shape == (episodes, N_SWEEP, 3, SIZE, SIZE)
    assert batch.query_masks.shape == batch.imperfect_masks.shape == (episodes, 2, N_SWEEP, SIZE, SIZE)
    assert batch.supports.shape == (episodes, n_supports, 3, SIZE, SIZE)
    assert batch.supports.isfinite().all()
    assert batch.queries.isfinite().all()
    torch.testing.assert_close(batch.query_tissues.sum(2), torch.ones_like(batch.query_tissues[:, :, 0]))
