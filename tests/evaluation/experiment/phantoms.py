"""How the phantoms are segmented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.evaluation.experiment.protocol import Protocol
from napari_revsam2.evaluation.experiment.runner import Progress, run_experiment

PROTOCOL = Protocol(n_support=(4, 1), top_k=(7, 3), groups=2)


def run(experiment: Experiment, folder: Path, **how: Any) -> list[Progress]:
    return list(run_experiment(experiment, folder, **how))
