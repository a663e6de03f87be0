"""The scores of a run of six slices."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from napari_revsam2.plugin.run.run_state import Phase, RunState

SCORES = np.array([0.0, 0.9, 0.2, np.nan, 0.5, 0.0])
FIRST = 10
COLORS = {1: (1.0, 0.0, 0.0, 1.0), 2: (0.0, 1.0, 0.0, 1.0)}


def state(labels=(1,)) -> RunState:
    """A completed run of these classes, each with slices 1 and 4 conditional."""
    return RunState(
        Phase.COMPLETED,
        n_slices=len(SCORES),
        scores=MappingProxyType(dict.fromkeys(labels, SCORES)),
        selected=MappingProxyType(dict.fromkeys(labels, (1, 4))),
    )
