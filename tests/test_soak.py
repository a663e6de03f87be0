"""The verdict of the soak; the soak itself takes minutes and is run by `make soak`."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.soak import QUANTITIES, _is_flat

RUNS = np.arange(60)[:, None]
STEADY = np.array([[900.0, 12.0, 8.0, 0.0]]) + 0 * RUNS


def test_what_grows_only_while_caches_fill_is_flat(capsys):
    assert _is_flat("window", STEADY + np.minimum(RUNS, 10))
    assert "window: flat" in capsys.readouterr().out


@pytest.mark.parametrize("leaking", range(len(QUANTITIES)))
def test_what_grows_in_every_run_is_told(leaking, capsys):
    leak = np.eye(len(QUANTITIES))[leaking]
    assert not _is_flat("window", STEADY + RUNS * leak)
    assert "window: GROWS" in capsys.readouterr().out
