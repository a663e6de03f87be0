"""Measure a checkpoint on real labelled volumes: forward propagation alone, the whole method, and what pi is worth.

    python -m training.measure --data DIR [--checkpoint FILE] [--axis axial] [--image-size 256]

``DIR`` holds ``abdomen/ct_a, ct_b`` and ``hippocampus/hippocampus_NNN``, each ``.nii.gz`` with ``_labels.nii.gz``. Both
CTs are support and query in turn (liver and spleen, window abdomen); three hippocampus subjects support the others
(both classes, window of percentiles). Nothing is fitted to these volumes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_revsam2.engine.events import RunFinished, SliceSegmented, Stage
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.propagator import Mask, Propagator
from napari_revsam2.evaluation.experiment.measures import SliceQuality, dice_coefficient, slice_quality
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files.file_problem import open_problem

LIVER, SPLEEN = 5, 1
SUPPORT_SUBJECTS = ("001", "003", "004")


@dataclass(frozen=True)
class Case:
    """One query, its supports and the classes to find."""

    name: str
    supports: tuple[Path, ...]
    query: Path
    labels: tuple[int, ...]
    window: str


@dataclass(frozen=True)
class Row:
    """What one class of one case gave."""

    case: str
    label: int
    forward: float
    """DSC of forward propagation over the volume."""
    final: float
    """DSC of the whole method."""
    slices: SliceQuality
    """What the masks of single slices are like, and what the score says of them."""


def cases(data: Path) -> Iterator[Case]:
    """All cases of the data folder."""
    abdomen, hippocampus = data / "abdomen", data / "hippocampus"
    for support, query in (("ct_a", "ct_b"), ("ct_b", "ct_a")):
        yield Case(f"{support} -> {query}", (abdomen / support,), abdomen / query, (LIVER, SPLEEN), "abdomen")
    supports = tuple(hippocampus / f"hippocampus_{subject}" for subject in SUPPORT_SUBJECTS)
    for image in sorted(hippocampus.glob("hippocampus_???.nii.gz")):
        query = image.with_name(image.name.removesuffix(".nii.gz"))
        if query not in supports:
            yield Case(query.name, supports, query, (1, 2), RevSAM2Config().window)


def measure(case: Case, propagator: Propagator, axis: Axis) -> Iterator[Row]:
    """Run one case; a row for each class."""
    config = RevSAM2Config(window=case.window)
    problem = open_problem(
        [image_and_labels(s) for s in case.supports], image_and_labels(case.query)[0], config, axis, None, case.labels
    )
    truth = problem.read_truth(image_and_labels(case.query)[1])
    forward: dict[int, dict[int, Mask]] = {label: {} for label in case.labels}
    for event in run_revsam2(propagator, problem.supports, problem.query, config, case.labels):
        if isinstance(event, SliceSegmented) and event.stage is Stage.FORWARD:
            forward[event.label][event.index] = event.mask
    assert isinstance(event, RunFinished)
    for result in event.labels:
        true_mask, first = truth == result.label, forward[result.label]
        scores = dict(enumerate(result.reverse_scores.tolist()))
        yield Row(
            case.name,
            result.label,
            dice_coefficient(np.stack([*first.values()]), true_mask),
            dice_coefficient(event.segmentation == result.label, true_mask),
            slice_quality(first, true_mask, scores, result.selected),
        )


def image_and_labels(stem: Path) -> tuple[Path, Path]:
    """Paths of a volume and its labels."""
    return stem.with_name(f"{stem.name}.nii.gz"), stem.with_name(f"{stem.name}_labels.nii.gz")


def print_table(rows: Sequence[Row]) -> None:
    """Print all rows in Markdown, and the means over liver, spleen and hippocampus."""
    print("| case | class | forward | revsam2 | chosen slices | non-empty slices | rank correlation |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        values = (row.forward, row.final, row.slices.chosen, row.slices.nonempty, row.slices.rank_correlation)
        print(f"| {row.case} | {row.label} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    groups = {
        "liver": [r for r in rows if r.case.startswith("ct") and r.label == LIVER],
        "spleen": [r for r in rows if r.case.startswith("ct") and r.label == SPLEEN],
        "hippocampus": [r for r in rows if r.case.startswith("hippocampus")],
    }
    means = {name: (np.mean([r.forward for r in g]), np.mean([r.final for r in g])) for name, g in groups.items() if g}
    means["mean of the three"] = tuple(np.mean(list(means.values()), axis=0))
    for name, (first, final) in means.items():
        print(f"{name}: forward {first:.3f}, revsam2 {final:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", default=RevSAM2Config().checkpoint)
    parser.add_argument("--axis", type=Axis, default=Axis.AXIAL)
    parser.add_argument("--image-size", type=int, default=0, help="pixels; 0: as the checkpoint was made")
    parser.add_argument("--match", default="", help="only cases whose name holds this")
    arguments = parser.parse_args()
    network = load_propagator(RevSAM2Config(checkpoint=arguments.checkpoint, image_size=arguments.image_size))
    print_table(
        [
            row
            for case in cases(arguments.data)
            if arguments.match in case.name
            for row in measure(case, network, arguments.axis)
        ]
    )
