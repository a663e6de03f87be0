"""What a training run leaves to resume from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from training.run_state import RunState
from training.validation import CurveRow

ROW = CurveRow(250, "changed", 192, 1.0, 0.5, 0.2, 0.4, 0.7, 0.01)


def state_of(weight: float) -> RunState:
    """A state after one step of a network with a single weight."""
    model, average = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(model.weight, weight)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    return RunState(model, average, optimizer)


def test_a_state_that_was_saved_is_resumed_with_its_optimizer_and_curve(tmp_path: Path) -> None:
    saved, fresh = state_of(1.0), state_of(2.0)
    saved.step, saved.curve = 250, [ROW]
    saved.save(tmp_path)
    fresh.resume(tmp_path)
    assert (fresh.step, fresh.curve) == (250, [ROW])
    assert fresh.model.weight.equal(saved.model.weight)
    assert fresh.average.weight.equal(saved.average.weight)
    moments = [next(iter(s.optimizer.state_dict()["state"].values()))["exp_avg"] for s in (saved, fresh)]
    assert moments[0].equal(moments[1])
    assert (tmp_path / "curve.csv").read_text().splitlines()[1] == "250,changed,192,1.0,0.5,0.2,0.4,0.7,0.01"


def test_a_folder_without_a_state_starts_at_step_0(tmp_path: Path) -> None:
    state = state_of(1.0)
    state.resume(tmp_path)
    assert (state.step, state.curve) == (0, [])


def test_a_write_that_fails_leaves_the_state_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(1.0)
    state.save(tmp_path)

    def fail(content: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    state.step = 9
    with pytest.raises(OSError, match="disk full"):
        state.save(tmp_path)
    fresh = state_of(2.0)
    fresh.resume(tmp_path)
    assert fresh.step == 0
    assert fresh.model.weight.equal(state.model.weight)
