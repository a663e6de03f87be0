"""The setting of the grey window, as text."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from .checked_settings import CheckedSettings
from .intensity_window import IntensityWindow

WindowText = Annotated[str, AfterValidator(lambda text: IntensityWindow.parse(text).text)]
"""Text that `IntensityWindow.parse` reads."""


@dataclass(frozen=True, kw_only=True)
class WindowSettings(CheckedSettings):
    """The grey values that supports and query are seen through.

    Raises
    ------
    ProblemError
        When the text is no window.
    """

    window: WindowText = Field(
        default="percentile:0.5,99.5",
        title="Window",
        description="Grey values shown to the model: a CT preset (abdomen, soft-tissue, liver, lung, mediastinum, "
        "bone, brain), LEVEL,WIDTH, or percentile:LOW,HIGH of each volume.",
    )
