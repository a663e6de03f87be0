"""What the checkpoint is worth on procedural patients, by kind."""

from __future__ import annotations

import numpy as np
from training.episodes import blob_family
from training.held_out import episode_dice, plain, volume_dice
from training.rendering import grey_contrast

from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.settings.config import RevSAM2Config

CHECKPOINT = RevSAM2Config().checkpoint


def test_blobs_are_plain_anatomies_of_random_grey_values() -> None:
    family = blob_family(np.random.default_rng(0))
    assert family.easy
    assert family.draw_contrast is grey_contrast


def test_the_bundled_checkpoint_finds_held_out_plain_organs() -> None:
    families = [plain(np.random.default_rng(seed)) for seed in (0, 1)]
    copied, forward, followed = episode_dice(load_model(CHECKPOINT), families, n_supports=4, count=16)
    assert min(forward, followed) > max(0.6, copied + 0.1)


def test_whole_procedural_volumes_go_through_the_pipeline() -> None:
    network = load_propagator(RevSAM2Config(checkpoint=CHECKPOINT))
    forward, final = volume_dice(network, plain(np.random.default_rng(1)), size=96, seed=1)
    assert min(forward, final) > 0.3
