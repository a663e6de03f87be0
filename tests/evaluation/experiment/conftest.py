"""An experiment on the phantoms."""

from __future__ import annotations

import pytest

from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.settings.config import RevSAM2Config
from tests.evaluation.experiment.phantoms import PROTOCOL


@pytest.fixture
def experiment(dataset) -> Experiment:
    """Two classes, two groups, all modes."""
    return Experiment(((dataset, dataset),), PROTOCOL, RevSAM2Config())
