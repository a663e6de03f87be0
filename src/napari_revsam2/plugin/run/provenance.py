"""What a result layer says of how it was made: settings, versions, scores. No paths, no names of patients."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import PurePath
from typing import Any

import numpy as np

from .run_request import RunRequest
from .run_state import Phase, RunState

_PACKAGES = ("napari-revsam2", "napari", "torch", "sam2", "numpy")


def provenance(request: RunRequest, state: RunState) -> dict[str, Any]:
    """Plain values that JSON can hold; scores that aren't known are None."""
    settings = request.config.as_dict()
    settings["checkpoint"] = PurePath(settings["checkpoint"]).name
    return {
        "settings": {**settings, "slice_axis": request.slices.axis, "first_slice": request.slices.start},
        "computed_with": dict(state.computed_with),
        "versions": {package: version(package) for package in _PACKAGES},
        "labels": list(request.labels),
        "scores": {str(c): [None if np.isnan(s) else float(s) for s in scores] for c, scores in state.scores.items()},
        "selected": {str(label): list(indices) for label, indices in state.selected.items()},
        "partial": state.phase is not Phase.COMPLETED,
    }
