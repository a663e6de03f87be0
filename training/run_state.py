"""What a training run needs to resume, in one file that is written whole or not at all."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import torch
from sam2.modeling.sam2_base import SAM2Base

from .validation import CurveRow

STATE, CURVE = "state.pt", "curve.csv"


@dataclass
class RunState:
    """A network in training, its averaged twin and how far they are.

    No state of random numbers: all draws of a step follow from the seed and the step's number.
    """

    model: SAM2Base
    average: SAM2Base
    optimizer: torch.optim.Optimizer
    step: int = 0
    curve: list[CurveRow] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write ``state.pt``, then the validation curve for reading."""
        parts = {name: getattr(self, name).state_dict() for name in ("model", "average", "optimizer")}
        part = folder / f"{STATE}.part"
        torch.save({**parts, "step": self.step, "curve": [asdict(row) for row in self.curve]}, part)
        part.replace(folder / STATE)
        with (folder / CURVE).open("w", newline="") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(CurveRow)])
            writer.writeheader()
            writer.writerows(asdict(row) for row in self.curve)

    def resume(self, folder: Path) -> None:
        """Read what an earlier run in ``folder`` saved, if there was one."""
        if not (folder / STATE).exists():
            return
        state = torch.load(folder / STATE, weights_only=True, map_location="cpu")
        for name in ("model", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.curve = state["step"], [CurveRow(**row) for row in state["curve"]]
