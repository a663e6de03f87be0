"""The settings of the method: what the paper itself varies."""

from enum import Enum

from pydantic import Field
from pydantic.dataclasses import dataclass

from .checked_settings import LARGEST_NUMBER, CheckedSettings, WholeNumber


class Mode(str, Enum):
    """Which slices of the query speak for the rest: the rows of the paper's Table 5."""

    REVSAM2 = "revsam2"
    """The top k by reverse score (the method)."""
    FORWARD = "forward"
    """None: forward propagation only (the baseline)."""
    FIFO = "fifo"
    """The most recent ones, unselected, beside the supports."""
    RANDOM = "random"
    """k slices drawn at random."""


@dataclass(frozen=True, kw_only=True)
class MethodSettings(CheckedSettings):
    """N, k, and the rows of Table 5; all that the engine needs to know.

    Raises
    ------
    ProblemError
        When a number is out of bounds, a value is of another type, or the mode isn't known.
    """

    n_support: WholeNumber = Field(
        default=10, ge=1, le=LARGEST_NUMBER, title="Supports (N)", description="Painted slices used for each class."
    )
    top_k: WholeNumber = Field(
        default=7,
        ge=1,
        le=LARGEST_NUMBER,
        title="Conditional slices (k)",
        description="Best-scored query slices that speak for the rest.",
    )
    mode: Mode = Field(
        default=Mode.REVSAM2,
        title="Mode",
        description="revsam2: the method; forward, fifo, random: the ablations of the paper's Table 5.",
    )
    seed: WholeNumber = Field(default=0, ge=0, le=LARGEST_NUMBER, title="Seed", description="Seed of mode random.")
