"""Which grey values the model sees as black and white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.vocabulary.slice_stack import SliceStack

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
        if ":" not in text and _is_held(fixed):
            return cls(text, fixed=fixed)
        raise ProblemError(_explanation(text))

    def limits(self, volume: NDArray[Any] | SliceStack, name: object = "The volume") -> Limits:
        """Grey values of a whole volume that become black and white: one rule, wherever the volume comes from.

        Parameters
        ----------
        volume : ndarray or SliceStack
            Grey values; an array of any shape, or all M slices (H, W), which are read one at a time. Nothing is read
            where the window is fixed.
        name : object
            What messages call the volume, such as its file.

        Raises
        ------
        ProblemError
            When the percentiles of the volume coincide, so that nothing could be told apart, or it has NaN, or the
            window is that of a napari layer.
        """
        if self.fixed is not None:
            return self.fixed
        if self.percentiles is None:
            raise ProblemError(
                f"The window {self.text} is that of a layer in napari and a file has none: choose percentiles or a "
                "fixed one."
            )
        if isinstance(volume, np.ndarray):
            low, high = _percentiles(volume, self.percentiles)
        else:
            low, high = _percentiles_of_slices(volume, self.percentiles)
        if not np.isfinite([low, high]).all():
            raise ProblemError(f"{name} has NaN or infinite voxels: replace them and try again.")
        if not high > low:
            raise ProblemError(
                f"{name} has a single grey value ({low:g}) within the window {self.text}: choose wider percentiles or "
                "a fixed window."
            )
        if not np.isfinite(_float32(high - low)):
            raise ProblemError(
                f"{name} has grey values from {low:g} to {high:g} within the window {self.text}, more than can be "
                "computed with: choose narrower percentiles or a fixed window."
            )
        return low, high


def _percentiles(volume: NDArray[Any], percentiles: Limits) -> Limits:
    low, high = np.percentile(_numbers(volume), percentiles)
    return float(low), float(high)


def _percentiles_of_slices(slices: SliceStack, percentiles: Limits) -> Limits:
    """Find what `numpy.percentile` says of all slices together, holding only the voxels beyond the percentiles."""
    n_voxels = len(slices) * np.size(slices[0])
    places = np.true_divide(percentiles, 100) * (n_voxels - 1)  # where in the sorted voxels the percentiles lie
    below = np.floor(places).astype(int)
    n_low, n_high = below[0] + 2, n_voxels - below[1]
    lowest = highest = _numbers(np.asarray(slices[0]).ravel()[:0])
    for index in range(len(slices)):
        voxels = _numbers(np.asarray(slices[index]).ravel())
        lowest = np.sort(np.concatenate([lowest, voxels]))[:n_low]
        highest = np.sort(np.concatenate([highest, voxels]))[-n_high:]
    if not np.isfinite(highest[-1]):  # NaN is sorted last
        return np.nan, np.nan
    # A percentile lies between two neighbours in the sorted voxels.
    low = np.quantile(lowest[below[0] :], [places[0] - below[0]])
    high = np.quantile(highest[:2], [places[1] - below[1]])
    return float(low[0]), float(high[0])


def _numbers(voxels: NDArray[Any]) -> NDArray[Any]:
    """View true and false as 1 and 0, as NumPy finds no percentiles of them."""
    return voxels.view(np.uint8) if voxels.dtype == bool else voxels


def windowed(image: NDArray[Any], limits: Limits) -> NDArray[np.float32]:
    """Bring grey values of any shape to 0 (black) to 1 (white); what lies beyond the limits is cut off."""
    low, high = limits
    grey: NDArray[np.float32] = (image.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return grey.clip(0, 1)


def _from_level_and_width(level: float, width: float) -> Limits:
    return level - width / 2, level + width / 2


def _is_held(limits: Limits) -> bool:
    """Whether limits are two numbers, and their distance one, in the precision that grey values are computed in."""
    low, high = map(_float32, limits)
    return bool(low < high) and bool(np.isfinite([low, high, _float32(limits[1] - limits[0])]).all())


def _float32(number: float) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(number)


def _explanation(text: str) -> str:
    return (
        f"The window {text!r} isn't known: choose one of {', '.join(PRESETS)}, or LEVEL,WIDTH such as 40,400, "
        "or percentile:LOW,HIGH such as percentile:0.5,99.5."
    )
