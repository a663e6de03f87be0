"""The settings of the network: which one, and how it computes."""

import os
from enum import Enum
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from .checked_settings import CheckedSettings, WholeNumber

_STRIDE = 32
"""Pixels that become one in the deepest level of the image encoder."""
_LARGEST_IMAGE = 8192
"""Side beyond which no device has enough memory for the attention within one image."""


class Precision(str, Enum):
    """What the network's matrix products are computed in."""

    AUTO = "auto"
    """What is fastest on the device without loss that is seen in masks."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


NameOrPath = Annotated[
    str, BeforeValidator(lambda value: os.fspath(value) if isinstance(value, os.PathLike) else value)
]
"""Text, or a path."""


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(CheckedSettings):
    """The checkpoint, and where and how precisely it is computed.

    Raises
    ------
    ProblemError
        When the image size is out of bounds or no multiple of 32, a value is of another type, or the precision isn't
        known.
    """

    checkpoint: NameOrPath = Field(
        default="revsam2-mini", title="Checkpoint", description="Name of a known checkpoint, or a file."
    )
    device: str = Field(default="auto", title="Device", description="auto, cpu, cuda or mps.")
    precision: Precision = Field(
        default=Precision.AUTO,
        title="Precision",
        description="auto: half precision on CUDA, and on a processor that is faster with it; else float32.",
    )
    image_size: WholeNumber = Field(
        default=0,
        ge=0,
        le=_LARGEST_IMAGE,
        multiple_of=_STRIDE,
        title="Image size",
        description="Side of the square image the network sees, in pixels, a multiple of 32; 0: as it was made.",
    )
