"""The settings of a run; form, command line and provenance are made from them."""

from __future__ import annotations

import operator
import os
from dataclasses import Field, asdict, dataclass, field, fields
from enum import Enum
from typing import Any

from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.vocabulary.names import member

from .intensity_window import IntensityWindow

_STRIDE = 32
"""Pixels that become one in the deepest level of the image encoder."""


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


class Precision(str, Enum):
    """What the network's matrix products are computed in."""

    AUTO = "auto"
    """What is fastest on the device without loss that is seen in masks."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


def _option(default: Any, label: str, text: str, minimum: int | None = None) -> Any:
    choices = [choice.value for choice in type(default)] if isinstance(default, Enum) else None
    return field(default=default, metadata={"label": label, "help": text, "minimum": minimum, "choices": choices})


@dataclass(frozen=True)
class RevSAM2Config:
    """Settings of one run.

    Each field's metadata holds its ``label``, its ``help`` and, if any, its ``minimum`` and ``choices``.

    Raises
    ------
    ProblemError
        When a number is below its minimum, a value is of another type, or a mode, precision or window isn't known.
    """

    n_support: int = _option(10, "Supports (N)", "Painted slices used for each class.", 1)
    top_k: int = _option(7, "Conditional slices (k)", "Best-scored query slices that speak for the rest.", 1)
    mode: Mode = _option(
        Mode.REVSAM2, "Mode", "revsam2: the method; forward, fifo, random: the ablations of the paper's Table 5."
    )
    window: str = _option(
        "percentile:0.5,99.5",
        "Window",
        "Grey values shown to the model: a CT preset (abdomen, soft-tissue, liver, lung, mediastinum, bone, brain), "
        "LEVEL,WIDTH, or percentile:LOW,HIGH of each volume.",
    )
    seed: int = _option(0, "Seed", "Seed of mode random.", 0)
    checkpoint: str = _option("revsam2-mini", "Checkpoint", "Name of a known checkpoint, or a file.")
    device: str = _option("auto", "Device", "auto, cpu, cuda or mps.")
    precision: Precision = _option(
        Precision.AUTO,
        "Precision",
        "auto: half precision on CUDA, and on a processor that is faster with it; else float32.",
    )
    image_size: int = _option(
        0, "Image size", "Side of the square image the network sees, in pixels, a multiple of 32; 0: as it was made.", 0
    )

    def __post_init__(self) -> None:
        """Check names, types and bounds."""
        for option in fields(self):
            minimum, value = option.metadata["minimum"], _typed(option, getattr(self, option.name))
            object.__setattr__(self, option.name, value)
            if minimum is not None and value < minimum:
                raise ProblemError(f"{option.metadata['label']} must be at least {minimum}, not {value}.")
        if self.image_size % _STRIDE:
            raise ProblemError(f"The image size must be a multiple of {_STRIDE}, not {self.image_size}.")
        IntensityWindow.parse(self.window)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for provenance."""
        return {**asdict(self), "mode": self.mode.value, "precision": self.precision.value}


def _typed(option: Field[Any], value: Any) -> Any:
    """Bring a value to its option's type, as those who write Python may give a mode as text and a file as a path."""
    kind, label = type(option.default), option.metadata["label"]
    if issubclass(kind, Enum):
        return member(kind, value, label)
    try:
        return operator.index(value) if kind is int else os.fspath(value)
    except TypeError:
        wanted = "a whole number" if kind is int else "text"
        raise ProblemError(f"{label} must be {wanted}, not {value!r}.") from None
