"""What a result layer says of where it comes from. No paths, no names of patients."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_revsam2.settings.provenance import provenance

from .run_request import RunRequest
from .run_state import Phase, RunState


def layer_provenance(request: RunRequest, state: RunState) -> dict[str, Any]:
    """Plain values that JSON can hold; scores that aren't known are None."""
    limits = (state.window.query, state.window.supports) if state.window is not None else ()
    facts = provenance(request.config, state.computed_with, *limits)
    facts["settings"] |= {"slice_axis": request.slices.axis, "first_slice": request.slices.start}
    return {
        **facts,
        "labels": list(request.labels),
        "scores": {str(c): [None if np.isnan(s) else float(s) for s in scores] for c, scores in state.scores.items()},
        "selected": {str(label): list(indices) for label, indices in state.selected.items()},
        "partial": state.phase is not Phase.COMPLETED,
    }
