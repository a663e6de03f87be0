"""What a result layer says of where it comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from napari_revsam2.engine.events import WindowResolved
from napari_revsam2.plugin.run.provenance import layer_provenance
from napari_revsam2.plugin.run.run_state import Phase, RunState
from tests.engine.conftest import BRIGHT, DARK

STATE = RunState(
    Phase.COMPLETED,
    n_slices=4,
    scores=MappingProxyType({BRIGHT: np.array([np.nan, 0.5, 0.25, 1.0])}),
    selected=MappingProxyType({BRIGHT: (1, 3)}),
    window=WindowResolved((0.0, 90.0), {0: (-1.0, 80.0)}),
    computed_with={"device": "cpu"},
)


def test_it_is_plain_and_says_what_decided_on_the_result(request_of):
    request = request_of(span=(2, 6))
    facts = json.loads(json.dumps(layer_provenance(request, STATE), allow_nan=False))
    assert facts["settings"]["n_support"] == request.config.n_support
    assert (facts["settings"]["slice_axis"], facts["settings"]["first_slice"]) == (0, 2)
    assert facts["labels"] == [BRIGHT, DARK]
    assert facts["scores"] == {str(BRIGHT): [None, 0.5, 0.25, 1.0]}
    assert facts["selected"] == {str(BRIGHT): [1, 3]}
    assert facts["limits"] == {"query": [0.0, 90.0], "supports": {"0": [-1.0, 80.0]}}
    assert facts["computed_with"] == {"device": "cpu"}
    assert "napari" in facts["versions"]


@pytest.mark.parametrize("phase", [Phase.CANCELED, Phase.FAILED, Phase.COMPLETED])
def test_only_a_completed_run_is_whole(request_of, phase):
    assert layer_provenance(request_of(), replace(STATE, phase=phase))["partial"] is (phase is not Phase.COMPLETED)


def test_a_run_that_ended_before_its_window_was_known_leaves_it_open(request_of):
    assert layer_provenance(request_of(), RunState(Phase.CANCELED))["limits"] == {"query": None, "supports": {}}
