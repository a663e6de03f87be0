"""The events of a run, in the order they happen: frozen, with NumPy copies, never live tensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.settings.intensity_window import Limits
from napari_revsam2.settings.method import MethodSettings

from .propagator import Logits, Mask


class Stage(str, Enum):
    """The steps of a run, in order."""

    EMBED = "embed"
    FORWARD = "forward"
    REVERSE = "reverse"
    SELF = "self"

    @property
    def description(self) -> str:
        """Its name for people."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Stage.EMBED: "Embedding slices",
    Stage.FORWARD: "Forward propagation",
    Stage.REVERSE: "Reverse propagation",
    Stage.SELF: "Query self propagation",
}


@dataclass(frozen=True)
class StageStarted:
    """A stage begins.

    Attributes
    ----------
    stage : Stage
        Which one.
    label : int or None
        The class at work; None while slices are embedded for all classes.
    n_slices : int
        Slice events that the stage will send.
    """

    stage: Stage
    label: int | None
    n_slices: int


@dataclass(frozen=True)
class WindowResolved:
    """The grey values seen as black and white are known; always the first event of a whole run.

    Attributes
    ----------
    query : tuple of float
        Those of the query.
    supports : mapping of int to tuple of float
        Those of each support volume in use, by its number.
    """

    query: Limits
    supports: Mapping[int, Limits]


@dataclass(frozen=True)
class SliceEmbedded:
    """A support or query slice has gone through the image encoder."""

    index: int
    is_query: bool


@dataclass(frozen=True)
class SliceSegmented:
    """A query slice has a mask: ``p_i`` after the forward stage, the final one after the self stage.

    Attributes
    ----------
    stage : Stage
        FORWARD or SELF.
    label, index : int
        Class and query slice.
    logits : ndarray
        (H, W) mask logits at the slice's own size; positive is foreground.
    """

    stage: Stage
    label: int
    index: int
    logits: Logits

    @property
    def mask(self) -> Mask:
        """(H, W) foreground."""
        return np.asarray(self.logits > 0)


@dataclass(frozen=True)
class SliceScored:
    """A query slice has its reverse score ``pi_i`` (Eq. 10), 0 to 1."""

    label: int
    index: int
    reverse_score: float


@dataclass(frozen=True)
class BatchFinished:
    """The network has finished a batch, but no slice is complete yet: a place where the run can be closed."""


@dataclass(frozen=True)
class SlicesSelected:
    """The conditional slices of a class are chosen (section 3.2)."""

    label: int
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Notice:
    """Something the user should know, in one sentence."""

    text: str


@dataclass(frozen=True)
class LabelResult:
    """What is known of one class at the end.

    Attributes
    ----------
    label : int
        Class id.
    supports : tuple of (int, int)
        Volume and slice number of each support used.
    reverse_scores : ndarray
        (M,) ``pi_i``; nan in modes that don't score.
    selected : tuple of int
        Conditional slices; none in modes ``forward`` and ``fifo``.
    """

    label: int
    supports: tuple[tuple[int, int], ...]
    reverse_scores: NDArray[np.float64]
    selected: tuple[int, ...]


@dataclass(frozen=True)
class RunFinished:
    """The run is complete.

    Attributes
    ----------
    segmentation : ndarray
        (M, H, W) class ids, unsigned; where classes overlap the higher logit wins.
    labels : tuple of LabelResult
        One for each class.
    config : MethodSettings
        The settings it ran with.
    computed_with : mapping of str to str
        The device and precision that the network chose, where a setting leaves the choice to it.
    """

    segmentation: NDArray[np.unsignedinteger[Any]]
    labels: tuple[LabelResult, ...]
    config: MethodSettings
    computed_with: Mapping[str, str] = field(default_factory=dict)


Event = (
    WindowResolved
    | StageStarted
    | SliceEmbedded
    | SliceSegmented
    | SliceScored
    | BatchFinished
    | SlicesSelected
    | Notice
    | RunFinished
)


def result_of(events: Iterable[Event]) -> RunFinished:
    """Consume a run and return its result; all other events, which hold logits, are released as they come."""
    (last,) = deque(events, maxlen=1)
    assert isinstance(last, RunFinished)
    return last
