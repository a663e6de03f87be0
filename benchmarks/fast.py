"""What scoring on fewer supports saves, and whether it still chooses the same slices, on real labelled volumes.

    python benchmarks/fast.py --data DIR [--checkpoint NAME] [--match hippocampus]

``DIR`` as for training/measure.py. Each case runs with all N = 10 supports scoring and with fewer; printed are, over
all cases and classes: the share of the k conditional slices that both choose, the mean DSC, and the time of the reverse
stage and of the run, each as a share of the exact run's. Wants a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.axis import Axis
from napari_revsam2.engine.config import RevSAM2Config
from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.events import Event, RunFinished, Stage, StageStarted
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.file_problem import FileProblem, open_problem
from napari_revsam2.sam2_backend.loading import load_propagator

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
from measure import cases, image_and_labels

N_REVERSE = (0, 5, 3, 1)


@dataclass(frozen=True)
class Outcome:
    """One class of one run."""

    selected: frozenset[int]
    dsc: float
    reverse_seconds: float
    seconds: float


def outcomes(problem: FileProblem, truth: NDArray[Any], network: Any, config: RevSAM2Config) -> Iterator[Outcome]:
    """Run each class by itself."""
    for label in problem.supports.labels:
        stages: dict[Stage, float] = defaultdict(float)
        stage, began = Stage.EMBED, time.perf_counter()
        for event in run_revsam2(network, problem.supports, problem.query, config, (label,)):
            now = time.perf_counter()
            stages[stage] += now - began
            stage, began = _stage_after(event, stage), now
        assert isinstance(event, RunFinished)
        overlap = dice(event.segmentation == label, truth == label)
        chosen = frozenset(event.labels[0].selected)
        yield Outcome(chosen, overlap, stages[Stage.REVERSE], sum(stages.values()))


def _stage_after(event: Event, stage: Stage) -> Stage:
    return event.stage if isinstance(event, StageStarted) else stage


def main(data: Path, checkpoint: str, match: str) -> None:
    """Run all cases whose name holds ``match``, and print a row for each number of supports that score."""
    network = load_propagator(RevSAM2Config(checkpoint=checkpoint))
    found: dict[int, list[Outcome]] = defaultdict(list)
    for case in (case for case in cases(data) if match in case.name):
        config = RevSAM2Config(window=case.window)
        image, labels = image_and_labels(case.query)
        supports = [image_and_labels(s) for s in case.supports]
        problem = open_problem(supports, image, config, Axis.AXIAL, None, case.labels)
        truth = problem.read_truth(labels)
        for count in N_REVERSE:
            found[count] += outcomes(problem, truth, network, replace(config, n_reverse=count))
    exact = found[0]
    print("| supports that score | same conditional slices | mean DSC | reverse stage | whole run |")
    print("|---|---|---|---|---|")
    for count, some in found.items():
        pairs = list(zip(some, exact, strict=True))
        same = np.mean([len(a.selected & b.selected) / max(len(b.selected), 1) for a, b in pairs])
        reverse = sum(o.reverse_seconds for o in some) / sum(o.reverse_seconds for o in exact)
        whole = sum(o.seconds for o in some) / sum(o.seconds for o in exact)
        dsc = np.mean([o.dsc for o in some])
        print(f"| {count or 'all'} | {same:.3f} | {dsc:.3f} | {reverse:.2f} | {whole:.2f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", default=RevSAM2Config().checkpoint)
    parser.add_argument("--match", default="", help="only cases whose name holds this")
    arguments = parser.parse_args()
    main(arguments.data, arguments.checkpoint, arguments.match)
