"""The procedural volumes that the bundled checkpoint learns from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training.episodes import N_CLASSES, N_QUERIES, Batch, EpisodeStream, _slices_anywhere

SIZE = 64


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    stream = EpisodeStream(3, SIZE)
    return [stream.draw(), stream.draw()]


def test_a_seed_gives_the_same_episodes(batches: list[Batch]) -> None:
    again = EpisodeStream(3, SIZE).draw()
    torch.testing.assert_close(again.supports, batches[0].supports, rtol=0, atol=0)
    torch.testing.assert_close(again.query_masks, batches[0].query_masks, rtol=0, atol=0)


def test_processes_draw_other_episodes_of_the_same_shape(batches: list[Batch]) -> None:
    other = EpisodeStream(3, SIZE, rank=1).draw()
    assert other.supports.shape == batches[0].supports.shape
    assert not torch.equal(other.supports, batches[0].supports)


def test_a_batch_has_the_shapes_it_promises(batches: list[Batch]) -> None:
    for batch in batches:
        episodes, n_supports = batch.supports.shape[:2]
        assert batch.supports.shape == (episodes, n_supports, 3, SIZE, SIZE)
        assert batch.queries.shape == (episodes, N_QUERIES, 3, SIZE, SIZE)
        assert batch.support_masks.shape == (episodes, N_CLASSES, n_supports, SIZE, SIZE)
        assert batch.query_masks.shape == batch.imperfect_masks.shape
        assert batch.query_masks.shape == (episodes, N_CLASSES, N_QUERIES, SIZE, SIZE)


def test_the_first_class_is_painted_on_every_support(batches: list[Batch]) -> None:
    for batch in batches:
        assert batch.support_masks[:, 0].flatten(2).any(2).float().mean() > 0.9  # tiny ones may vanish at 64 px
        assert set(batch.query_masks.unique().tolist()) <= {0.0, 1.0}


def test_tissue_shares_sum_to_one(batches: list[Batch]) -> None:
    for batch in batches:
        torch.testing.assert_close(batch.query_tissues.sum(2), torch.ones_like(batch.query_tissues[:, :, 0]))


def test_a_warped_batch_has_queries_made_of_its_supports_and_masks_that_fit_them() -> None:
    batch = EpisodeStream(3, SIZE).draw(easy=1.0, warped=1.0)
    assert not torch.equal(batch.queries[:, 0], batch.supports[:, 0])
    shown, painted = batch.queries[:, :, 0], batch.query_masks[:, 0].bool()
    given, asked = batch.supports[:, :, 0], batch.support_masks[:, 0].bool()
    inside = [float(given[e][asked[e]].mean() - shown[e][painted[e]].mean()) for e in range(len(given))]
    anywhere = [float(given[e][asked[e]].mean() - shown[e].mean()) for e in range(len(given))]
    assert np.abs(inside).mean() < 0.5 * np.abs(anywhere).mean()  # the painted tissue keeps its grey value


def test_some_queries_are_slices_from_anywhere_in_the_volume() -> None:
    slices = _slices_anywhere(np.random.default_rng(0), np.arange(30, 40), 80)
    assert len(slices) == N_QUERIES
    assert np.isin(slices, np.arange(30, 40)).any()
    assert (~np.isin(slices, np.arange(20, 50))).any()
