"""Measure a checkpoint on procedural patients that training never drew, by kind of episode.

    python -m training.held_out [--checkpoint FILE] [--count 24]

*Plain*: a few blobs in a body, each of a grey value of its own, patients who differ little. *Blobs*: the same with
random grey values, so that some look alike, texture, noise and uneven brightness. *All*: what training ends with, with
look-alike tissues, mirrored pairs, vessels, narrow windows and crops. On many of the eight query slices there is no
target.

For each the Dice over the query slices of forward propagation and of self propagation from slices of the query itself,
beside what laying the mean support mask on the query gives; then the DSC over whole volumes of one patient from ten
slices of another (the package's own pipeline, k = 7).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from sam2.modeling.sam2_base import SAM2Base

from napari_revsam2.engine.events import RunFinished, SliceSegmented, Stage
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, stack_supports
from napari_revsam2.engine.propagator import Mask, Propagator
from napari_revsam2.evaluation.experiment.measures import dice_coefficient
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.intensity_window import IntensityWindow

from .episodes import Family, Recipe, blob_family, class_masks, random_batch, random_family, random_target
from .losses import copy_dice, episode_losses
from .rendering import render

SEED = 2 * 10**6
"""No stream of the training or its validation has it."""
SUPPORTS = (1, 4, 10)


def plain(rng: np.random.Generator) -> Family:
    """Draw patients with a few blobs of distinct grey values in a body."""
    return random_family(rng, easy=True)


KINDS: dict[str, Callable[[np.random.Generator], Family]] = {"plain": plain, "blobs": blob_family, "all": random_family}


@torch.no_grad()
def episode_dice(model: SAM2Base, families: list[Family], n_supports: int, count: int) -> tuple[float, float, float]:
    """Mean Dice over ``count`` episodes of two classes: copying, forward propagation, self propagation."""
    rng = np.random.default_rng([SEED, n_supports])
    recipe, rows = Recipe(2, n_supports, model.image_size), []
    for _ in range(count // 2):
        batch = random_batch(rng, lambda rng: families[rng.integers(len(families))], recipe)
        losses = episode_losses(model, batch, rng)
        rows.append(torch.stack([copy_dice(batch), losses.forward_dice, losses.self_dice]))
    copied, forward, followed = torch.cat(rows, 1).nanmean(1).tolist()
    return copied, forward, followed


def volume_dice(propagator: Propagator[Any, Any, Any], family: Family, size: int, seed: int) -> tuple[float, float]:
    """DSC of forward propagation and of the whole method on one patient, given ten slices of another.

    NaN where the other one, or the patient, lacks the target.
    """
    rng = np.random.default_rng([SEED, seed])
    painted, query = (patient.astype(np.int64) for patient in family.patients[:2])
    target = random_target(rng, family, family.patients[0])
    contrast = family.draw_contrast(rng, family.anatomy)
    images = [render(rng, p, contrast.varied(rng), size) for p in family.patients[:2]]
    labels, truth = (class_masks(p, [target], size).astype(np.int64) for p in (painted, query))
    if not (labels.any() and truth.any()):
        return np.nan, np.nan
    limits = [IntensityWindow.parse(RevSAM2Config().window).limits(image) for image in images]
    supports = SupportSet(stack_supports(images[0], labels, limits[0]))
    forward: list[Mask] = []
    config = RevSAM2Config(n_support=min(RevSAM2Config().n_support, len(supports.slices)))
    for event in run_revsam2(propagator, supports, QueryVolume(images[1], limits[1]), config):
        if isinstance(event, SliceSegmented) and event.stage is Stage.FORWARD:
            forward.append(event.mask)
    assert isinstance(event, RunFinished)
    return dice_coefficient(np.stack(forward), truth > 0), dice_coefficient(event.segmentation > 0, truth > 0)


def rows(checkpoint: str, count: int) -> Iterator[str]:
    """Rows of a Markdown table, each when it is known."""
    model = load_model(checkpoint)
    propagator = load_propagator(RevSAM2Config(checkpoint=checkpoint))
    yield "| kind | supports | copied | forward | self | volume, forward | volume, revsam2 |"
    yield "|---|---|---|---|---|---|---|"
    for kind, draw in KINDS.items():
        rng = np.random.default_rng(SEED)
        families = [draw(rng) for _ in range(count)]
        for n_supports in SUPPORTS:
            dice = episode_dice(model, families, n_supports, count)
            yield f"| {kind} | {n_supports} | {' | '.join(f'{value:.3f}' for value in dice)} | | |"
        volumes = [volume_dice(propagator, family, model.image_size, i) for i, family in enumerate(families)]
        forward, final = np.nanmean(volumes, axis=0)
        yield f"| {kind} | 10 | | | | {forward:.3f} | {final:.3f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default=RevSAM2Config().checkpoint)
    parser.add_argument("--count", type=int, default=24, help="anatomies, and episodes for each number of supports")
    options = parser.parse_args()
    for row in rows(options.checkpoint, options.count):
        print(row, flush=True)
