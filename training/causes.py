"""Find out what query self propagation loses by: the choice of the slices, their masks, or the queue of recent slices.

    python -m training.causes --data DIR [--checkpoint FILE] [--match hippocampus]

On the cases of measure.py, self propagation starts anew from other conditional slices than those that the reverse score
chose, or from their true masks, or without the queue. Beside the DSC, where the wrong voxels are, in percent of the
true ones: invented beyond the organ's ends, invented on its slices, and missed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.events import RunFinished, SliceSegmented, Stage, result_of
from napari_revsam2.engine.pipeline import propagate_again, run_revsam2
from napari_revsam2.engine.problem import QueryVolume
from napari_revsam2.evaluation.experiment.measures import dice_coefficient
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files.file_problem import open_problem

from .measure import Case, cases, image_and_labels

Masks = NDArray[np.bool_]


class WithoutQueue(Sam2Propagator):
    """Remembers conditional slices only."""

    @property
    def reach(self) -> int:
        """How many slices back a recent memory still counts: none."""
        return 0


def masks_of(case: Case, network: Sam2Propagator) -> Iterator[tuple[Masks, dict[str, Masks]]]:
    """For each class the truth (M, H, W), and the masks that each way of propagating gives."""
    config = RevSAM2Config(window=case.window)
    supports = [image_and_labels(stem) for stem in case.supports]
    image, labels = image_and_labels(case.query)
    problem = open_problem(supports, image, config, Axis.AXIAL, None, case.labels)
    truth = problem.read_truth(labels)
    forward: dict[int, list[Masks]] = defaultdict(list)
    for event in run_revsam2(network, problem.supports, problem.query, config, case.labels):
        if isinstance(event, SliceSegmented) and event.stage is Stage.FORWARD:
            forward[event.label].append(event.mask)
    assert isinstance(event, RunFinished)
    for result in event.labels:
        true, first = truth == result.label, np.stack(forward[result.label])
        conditional = conditional_masks(first, true, result.selected)
        ways = {"forward propagation": first, "RevSAM2": event.segmentation == result.label}
        for name, masks in conditional.items():
            ways[name] = followed(network, problem.query, masks, config)
        without = WithoutQueue(network.model, precision=network.precision)
        chosen = {i: first[i] for i in result.selected}
        ways["chosen slices, without the queue"] = followed(without, problem.query, chosen, config)
        yield true, ways


def conditional_masks(first: Masks, true: Masks, chosen: tuple[int, ...]) -> dict[str, dict[int, Masks]]:
    """Conditional slices and their masks that forward and reverse propagation could have given, or not."""
    shown = np.flatnonzero(true.any((1, 2)))
    overlap = {i: dice_coefficient(first[i][None], true[i][None]) for i in shown.tolist()}
    best = sorted(overlap, key=lambda i: -overlap[i])[: len(chosen)]
    spread = shown[np.linspace(0, len(shown) - 1, min(len(chosen), len(shown))).round().astype(int)].tolist()
    return {
        "best slices by true DSC": {i: first[i] for i in best if first[i].any()},
        "slices spread over the organ": {i: first[i] for i in spread if first[i].any()},
        "chosen slices, true masks": {i: true[i] for i in chosen if true[i].any()},
        "slices spread over the organ, true masks": {i: true[i] for i in spread},
    }


def followed(network: Sam2Propagator, query: QueryVolume, masks: Mapping[int, Masks], config: RevSAM2Config) -> Masks:
    """Query self propagation from ``masks`` alone: (M, H, W)."""
    if not masks:
        return np.zeros((len(query.slices), *query.slices[0].shape), bool)
    return np.asarray(result_of(propagate_again(network, query, {1: masks}, config)).segmentation == 1)


def shares(mask: Masks, true: Masks) -> tuple[float, float, float, float]:
    """DSC, and voxels in percent of the true ones: invented beyond the organ's ends, invented on its slices, missed."""
    shown = true.any((1, 2))
    wrong = (mask & ~true)[~shown].sum(), (mask & ~true)[shown].sum(), (true & ~mask).sum()
    beyond, within, missed = (100 * float(count) / float(true.sum()) for count in wrong)
    return 100 * dice_coefficient(mask, true), beyond, within, missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", default=RevSAM2Config().checkpoint)
    parser.add_argument("--match", default="hippocampus", help="only cases whose name holds this")
    arguments = parser.parse_args()
    propagator = load_propagator(RevSAM2Config(checkpoint=arguments.checkpoint))
    rows = defaultdict(list)
    for case in cases(arguments.data):
        if arguments.match in case.name:
            for label, (true, ways) in zip(case.labels, masks_of(case, propagator), strict=True):
                for name, mask in ways.items():
                    rows[label, name].append(shares(mask, true))
    print("| class | propagation | DSC | invented beyond the ends | invented on its slices | missed |")
    print("|---|---|---|---|---|---|")
    for (label, name), values in sorted(rows.items(), key=lambda row: row[0][0]):
        print(f"| {label} | {name} | " + " | ".join(f"{mean:.1f}" for mean in np.mean(values, axis=0)) + " |")
