from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, PRESETS, IntensityWindow, windowed
from napari_revsam2.vocabulary.errors import ProblemError


class Lazy:
    """Slices that count how often they are read."""

    def __init__(self, volume: np.ndarray) -> None:
        self.volume, self.read = volume, 0

    def __len__(self) -> int:
        return len(self.volume)

    def __getitem__(self, index: int) -> np.ndarray:
        self.read += 1
        return self.volume[index]


def test_a_preset_is_level_and_width():
    assert IntensityWindow.parse("abdomen").limits([0]) == (-160, 240)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_shows_a_range(name):
    low, high = IntensityWindow.parse(name).limits([0])
    assert low < high


def test_level_and_width_may_be_given():
    assert IntensityWindow.parse("-600,1500").limits([0]) == (-1350, 150)


def test_percentiles_are_of_the_volume():
    assert IntensityWindow.parse("percentile:10,90").limits(np.arange(101)) == (10, 90)


def test_percentiles_that_coincide_are_refused():
    volume = np.zeros(1000)
    volume[0] = 1
    with pytest.raises(ProblemError, match="single grey value"):
        IntensityWindow.parse("percentile:10,90").limits(volume)


def volumes() -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for kind in ("uint8", "int16", "float32", "float64", "bool"):
        for shape in ((7, 9, 11), (1, 2, 3), (30, 4, 1)):
            yield (random.normal(size=shape) * 90).astype(kind)


@pytest.mark.parametrize("percentiles", ["0.5,99.5", "0,100", "33.3,33.4", "12,97"])
def test_percentiles_of_slices_are_those_of_the_whole_volume_bit_for_bit(percentiles):
    window = IntensityWindow.parse(f"percentile:{percentiles}")
    for volume in volumes():
        low, high = np.percentile(volume.astype(np.uint8) if volume.dtype == bool else volume, window.percentiles)
        if low < high:
            assert window.limits(volume) == window.limits(Lazy(volume)) == (low, high)


def test_a_fixed_window_reads_no_slice():
    lazy = Lazy(np.zeros((3, 4, 5)))
    assert IntensityWindow.parse("lung").limits(lazy) == (-1350, 150)
    assert lazy.read == 0


@pytest.mark.parametrize("kind", [np.asarray, Lazy])
def test_a_volume_of_one_grey_value_or_with_nan_is_refused_by_its_name(kind):
    window = IntensityWindow.parse("percentile:0.5,99.5")
    with pytest.raises(ProblemError, match=r"^scan\.nii has a single grey value \(3\) within the window percentile"):
        window.limits(kind(np.full((4, 5, 6), 3)), "scan.nii")
    volume = np.arange(120.0).reshape(4, 5, 6)
    volume[1, 2, 3] = np.nan
    with pytest.raises(ProblemError, match=r"^scan\.nii has NaN"):
        window.limits(kind(volume), "scan.nii")


def test_grey_values_farther_apart_than_a_number_is_large_are_refused():
    volume = np.linspace(-3e38, 3e38, 60, dtype=np.float32)
    with pytest.raises(ProblemError, match=r"^scan\.nii has grey values from -3e\+38 to 3e\+38"):
        IntensityWindow.parse("percentile:0,100").limits(volume, "scan.nii")


def test_grey_values_become_0_at_the_low_limit_and_1_at_the_high_one():
    image = np.array([[-50, 0], [25, 120]], np.int16)
    grey = windowed(image, (0.0, 100.0))
    assert grey.dtype == np.float32
    assert grey.tolist() == [[0.0, 0.0], [0.25, 1.0]]


NO_WINDOWS = ["", "sharp", "40", "40,0", "40,-3", "percentile:9,1", "percentile:0,101", "nan,4"]
BEYOND_FLOAT32 = ["0,6e38", "-1e300,2e300", "3e38,3e38", "0,1e300"]


@pytest.mark.parametrize("text", [*NO_WINDOWS, *BEYOND_FLOAT32])
def test_what_is_no_window_is_refused(text):
    with pytest.raises(ProblemError, match="isn't known"):
        IntensityWindow.parse(text)


def test_contrast_limits_of_a_layer_are_refused_for_a_volume_without_one():
    with pytest.raises(ProblemError, match="a layer in napari"):
        IntensityWindow.parse(CONTRAST_LIMITS).limits(np.arange(101))
