"""The window: shown, chosen and read again."""

from __future__ import annotations

import pytest

from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, PRESETS


@pytest.mark.parametrize("window", ["percentile:1,98", CONTRAST_LIMITS, "35,80.5", "-600,1500", *PRESETS])
def test_every_window_can_be_shown_and_is_given_again(form, window):
    form.apply_choices({"window": window})
    assert form.config().window == window


def test_only_the_numbers_of_the_chosen_window_are_shown(qtbot, form):
    window = form.fields["window"]

    def shown():
        return [not box.isHidden() for box in (*window.percentiles, *window.custom)]

    assert shown() == [True, True, False, False]
    window.box.setCurrentText("CT abdomen (40 / 400)")
    assert shown() == [False] * 4
    window.box.setCurrentText("level and width ...")
    assert shown() == [False, False, True, True]
