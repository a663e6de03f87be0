import numpy as np
import pytest

from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, PRESETS, IntensityWindow
from napari_revsam2.vocabulary.errors import ProblemError


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


@pytest.mark.parametrize("text", ["", "sharp", "40", "40,0", "40,-3", "percentile:9,1", "percentile:0,101", "nan,4"])
def test_what_is_no_window_is_refused(text):
    with pytest.raises(ProblemError, match="isn't known"):
        IntensityWindow.parse(text)


def test_contrast_limits_of_a_layer_are_refused_for_a_volume_without_one():
    with pytest.raises(ProblemError, match="a layer in napari"):
        IntensityWindow.parse(CONTRAST_LIMITS).limits(np.arange(101))
