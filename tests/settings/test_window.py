import pytest

from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, PRESETS
from napari_revsam2.settings.window import WindowSettings
from napari_revsam2.vocabulary.errors import ProblemError


@pytest.mark.parametrize("text", [*PRESETS, "40,400", "percentile:1,99", CONTRAST_LIMITS])
def test_a_window_is_kept_as_it_was_written(text):
    assert WindowSettings(window=text).window == text


def test_what_is_no_window_is_refused_before_any_volume_is_read():
    with pytest.raises(ProblemError, match="The window 'sharp' isn't known"):
        WindowSettings(window="sharp")
