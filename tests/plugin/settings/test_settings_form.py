"""Settings: made from the options, kept between sessions, and never more than settings."""

from __future__ import annotations

from dataclasses import fields

import pytest

from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.settings.option import options_of
from napari_revsam2.vocabulary.errors import ProblemError


def choose(form, name, value) -> None:
    """Choose as a user does."""
    field = form.fields[name]
    box = getattr(field, "box", field.native)
    (box.setValue if hasattr(box, "setValue") else box.setCurrentText)(value)


def test_untouched_it_gives_the_defaults(form):
    assert form.config() == RevSAM2Config()


def test_every_option_has_a_field_with_its_help(form):
    assert form.fields.keys() == {option.name for option in fields(RevSAM2Config)}
    for option in options_of(RevSAM2Config):
        assert form.fields[option.name].native.toolTip().replace("\n", " ") == option.help


def test_what_is_chosen_is_given(form):
    choose(form, "n_support", 4)
    choose(form, "mode", "fifo")
    choose(form, "device", "cpu")
    choose(form, "seed", 3)
    assert form.config() == RevSAM2Config(n_support=4, mode=Mode.FIFO, device="cpu", seed=3)


def test_a_choice_is_told(qtbot, form):
    with qtbot.waitSignal(form.wished):
        choose(form, "top_k", 3)


def test_choices_come_back_in_the_next_session(form, open_form):
    for name, value in [("n_support", 4), ("top_k", 3), ("mode", "random"), ("seed", 8), ("device", "cpu")]:
        choose(form, name, value)
    form.fields["window"].box.setCurrentText("CT lung (-600 / 1500)")
    assert open_form().config() == form.config() != RevSAM2Config()


@pytest.mark.parametrize("name", ["n_support", "mode", "window", "checkpoint", "device", "seed"])
def test_a_stored_value_that_cannot_be_is_passed_over(stored, open_form, name):
    stored.setValue(name, "nonsense")
    assert open_form().config() == RevSAM2Config()


def test_fewer_slices_of_today_do_not_change_what_is_stored(form, open_form):
    choose(form, "n_support", 20)
    form.offer(3, 2)
    choose(form, "seed", 1)
    assert open_form().config().n_support == 20


def test_percentiles_the_wrong_way_round_are_refused(form):
    form.fields["window"].percentiles[0].setValue(99.8)
    with pytest.raises(ProblemError, match="percentile:LOW,HIGH"):
        form.config()


def test_a_sentence_tells_what_to_expect_of_a_device(form):
    choose(form, "device", "cpu")
    assert "a large SAM 2 takes up to a minute a slice" in form.note.text()
