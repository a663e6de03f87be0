"""Which grey values the model sees as black and white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_revsam2.vocabulary.errors import ProblemError

PRESETS = {
    "abdomen": (40.0, 400.0),
    "soft-tissue": (50.0, 350.0),
    "liver": (60.0, 160.0),
    "lung": (-600.0, 1500.0),
    "mediastinum": (50.0, 350.0),
    "bone": (400.0, 1800.0),
    "brain": (40.0, 80.0),
}
"""CT windows by name: level and width in Hounsfield units."""

CONTRAST_LIMITS = "contrast-limits"
"""The window that is each napari layer's own contrast limits: the model sees what the user sees."""

Limits = tuple[float, float]


@dataclass(frozen=True)
class IntensityWindow:
    """One rule for supports and query alike: percentiles of each volume, fixed grey values, or what napari shows.

    Attributes
    ----------
    text : str
        The rule as the user gave it, written into every result.
    percentiles : tuple of float or None
        Percentiles shown as black and white, computed for each volume by itself.
    fixed : tuple of float or None
        Grey values shown as black and white. With neither, a napari layer's contrast limits, which only the plugin
        knows.
    """

    text: str
    percentiles: Limits | None = None
    fixed: Limits | None = None

    @classmethod
    def parse(cls, text: str) -> IntensityWindow:
        """Read ``abdomen`` (or another preset), ``LEVEL,WIDTH``, ``percentile:LOW,HIGH`` or ``contrast-limits``.

        Raises
        ------
        ProblemError
            When the text is none of these.
        """
        if text in PRESETS:
            return cls(text, fixed=_from_level_and_width(*PRESETS[text]))
        if text == CONTRAST_LIMITS:
            return cls(text)
        kind, _, numbers = text.rpartition(":")
        try:
            first, second = (float(part) for part in numbers.split(","))
        except ValueError:
            raise ProblemError(_explanation(text)) from None
        if kind == "percentile" and 0 <= first < second <= 100:
            return cls(text, percentiles=(first, second))
        fixed = _from_level_and_width(first, second)
        if ":" not in text and np.isfinite(fixed).all() and np.float32(fixed[0]) < np.float32(fixed[1]) < np.inf:
            return cls(text, fixed=fixed)
        raise ProblemError(_explanation(text))

    def limits(self, volume: ArrayLike) -> Limits:
        """Grey values of ``volume`` (any shape) that become black and white.

        Raises
        ------
        ProblemError
            When the percentiles of the volume coincide, so that nothing could be told apart, or the window is that of
            a napari layer.
        """
        if self.fixed is not None:
            return self.fixed
        if self.percentiles is None:
            raise ProblemError(
                f"The window {self.text} is that of a layer in napari and a file has none: choose percentiles or a "
                "fixed one."
            )
        low, high = np.percentile(np.asarray(volume), self.percentiles)
        if not high > low:
            raise ProblemError(
                f"The window {self.text} covers a single grey value ({low:g}): choose wider percentiles or a fixed one."
            )
        return float(low), float(high)


def _from_level_and_width(level: float, width: float) -> Limits:
    return level - width / 2, level + width / 2


def _explanation(text: str) -> str:
    return (
        f"The window {text!r} isn't known: give one of {', '.join(PRESETS)}, or LEVEL,WIDTH such as 40,400, "
        "or percentile:LOW,HIGH such as percentile:0.5,99.5."
    )
