"""What is known of a run: a frozen state, replaced by a pure function of state and event. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.events import (
    BatchFinished,
    Event,
    Notice,
    RunFinished,
    SliceEmbedded,
    SliceScored,
    SliceSegmented,
    SlicesSelected,
    Stage,
    StageStarted,
    WindowResolved,
)

Scores = Mapping[int, NDArray[np.float64]]
Selection = Mapping[int, tuple[int, ...]]


class Phase(str, Enum):
    """Where a run is; the last three are endings, of which each run has exactly one."""

    IDLE = "idle"
    RUNNING = "running"
    CANCELING = "canceling"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"

    @property
    def is_active(self) -> bool:
        """Whether the model is at work."""
        return self in (Phase.RUNNING, Phase.CANCELING)


@dataclass(frozen=True)
class RunState:
    """State of the active run, or of the last one.

    Attributes
    ----------
    phase : Phase
        Where it is.
    n_slices : int
        Slices of the query (M).
    stage, label : Stage, int
        The stage and class at work; None before the first and, for the class, while slices are embedded.
    done, total : int
        Slices of this stage.
    scores : mapping of int to ndarray
        For each class ``pi`` per query slice (M,); nan where not known.
    selected : mapping of int to tuple of int
        For each class its conditional slices.
    window : WindowResolved or None
        The grey values that are black and white; None before they are known.
    computed_with : mapping of str to str
        Device and precision, known at the end.
    notices : tuple of str
        What the user should know.
    message : str
        Why it failed.
    """

    phase: Phase = Phase.IDLE
    n_slices: int = 0
    stage: Stage | None = None
    label: int | None = None
    done: int = 0
    total: int = 0
    scores: Scores = field(default_factory=lambda: MappingProxyType({}))
    selected: Selection = field(default_factory=lambda: MappingProxyType({}))
    window: WindowResolved | None = None
    computed_with: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notices: tuple[str, ...] = ()
    message: str = ""


def started(n_slices: int) -> RunState:
    """Begin a run."""
    return RunState(Phase.RUNNING, n_slices)


def continued(state: RunState) -> RunState:
    """Begin a run that continues from the scores of the last one."""
    return replace(started(state.n_slices), scores=state.scores, selected=state.selected, window=state.window)


def canceling(state: RunState) -> RunState:
    """Take note of Cancel; the run ends after the batch that is being computed."""
    return replace(state, phase=Phase.CANCELING) if state.phase is Phase.RUNNING else state


def ended(state: RunState, phase: Phase, message: str = "") -> RunState:
    """End a run."""
    return replace(state, phase=phase, message=message)


def forgotten(state: RunState) -> RunState:
    """Keep only how a run ended, when its layers are gone."""
    return RunState(state.phase, notices=state.notices, message=state.message)


def with_conditional(state: RunState, label: int, index: int, on: bool) -> RunState:
    """Make a query slice conditional for a class, or not."""
    chosen = set(state.selected.get(label, ()))
    return with_selected(state, label, tuple(chosen | {index} if on else chosen - {index}))


def with_selected(state: RunState, label: int, indices: tuple[int, ...]) -> RunState:
    """Choose other conditional slices for a class."""
    return replace(state, selected=MappingProxyType({**state.selected, label: tuple(sorted(indices))}))


def update(state: RunState, event: Event) -> RunState:
    """Add what ``event`` tells."""
    match event:
        case WindowResolved():
            return replace(state, window=event)
        case StageStarted(stage, label, n_slices):
            return replace(state, stage=stage, label=label, done=0, total=n_slices)
        case SliceScored(label, index, reverse_score):
            return replace(state, done=state.done + 1, scores=_scored(state, label, index, reverse_score))
        case SliceEmbedded() | SliceSegmented():
            return replace(state, done=state.done + 1)
        case SlicesSelected(label, indices):
            return with_selected(state, label, indices)
        case RunFinished():
            return replace(state, computed_with=event.computed_with)
        case Notice(text):
            return replace(state, notices=(*state.notices, text))
        case BatchFinished():
            return state


def _scored(state: RunState, label: int, index: int, reverse_score: float) -> Scores:
    scores = state.scores[label].copy() if label in state.scores else np.full(state.n_slices, np.nan)
    scores[index] = reverse_score
    return MappingProxyType({**state.scores, label: scores})
