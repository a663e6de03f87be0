"""What the checkpoint is worth on procedural patients, by kind."""

from __future__ import annotations

import numpy as np
import torch
from episodes import random_batch
from held_out import blobs, episode_dice, volume_dice, with_two_slices
from rendering import grey_contrast

from napari_revsam2.engine.config import RevSAM2Config
from napari_revsam2.sam2_backend.checkpoints import load_model
from napari_revsam2.sam2_backend.loading import load_propagator

CHECKPOINT = RevSAM2Config().checkpoint


def test_blobs_are_plain_anatomies_of_random_grey_values() -> None:
    family = blobs(np.random.default_rng(0))
    assert family.easy
    assert family.draw_contrast is grey_contrast


def test_the_embedded_checkpoint_finds_held_out_blobs_better_than_a_copied_mask() -> None:
    families = [blobs(np.random.default_rng(seed)) for seed in (0, 1)]
    copied, forward, followed = episode_dice(load_model(CHECKPOINT), families, n_supports=4, count=16)
    assert forward > copied + 0.1
    assert followed > copied + 0.1


def test_two_slices_are_neighbours_that_show_the_target() -> None:
    rng = np.random.default_rng(4)
    batch = random_batch(rng, [blobs(rng, n_patients=2)], 2, 1, 64)
    two = with_two_slices(batch, rng)
    assert two.query_masks.shape == (2, 1, 2, 64, 64)
    for episode in range(2):
        shown = [torch.equal(two.queries[episode, 0], image) for image in batch.queries[episode]]
        assert torch.equal(two.queries[episode, 1], batch.queries[episode, shown.index(True) + 1])
        present = batch.query_masks[episode, 0].flatten(1).any(1)
        found = two.query_masks[episode, 0].flatten(1).any(1).all()
        assert found == (present[:-1] & present[1:]).any()


def test_whole_procedural_volumes_go_through_the_pipeline() -> None:
    network = load_propagator(RevSAM2Config(checkpoint=CHECKPOINT))
    forward, final = volume_dice(network, blobs(np.random.default_rng(1)), size=96, seed=1)
    assert min(forward, final) > 0.3
