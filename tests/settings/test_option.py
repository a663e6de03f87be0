from dataclasses import fields

import pytest

from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.settings.option import options_of

OPTIONS = {option.name: option for option in options_of(RevSAM2Config)}


def test_there_is_an_option_for_each_setting_in_its_order():
    assert list(OPTIONS) == [field.name for field in fields(RevSAM2Config)]


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_label_a_help_and_its_default(name):
    option = OPTIONS[name]
    assert option.label[0].isupper()
    assert option.help.endswith(".")
    assert option.default == getattr(RevSAM2Config(), name)
    assert isinstance(option.default, option.kind)


def test_numbers_have_bounds_and_names_have_choices():
    assert (OPTIONS["n_support"].minimum, OPTIONS["image_size"].minimum) == (1, 0)
    assert (OPTIONS["seed"].maximum, OPTIONS["image_size"].maximum) == (2**32 - 1, 8192)
    assert OPTIONS["mode"].choices == tuple(mode.value for mode in Mode)
    assert OPTIONS["checkpoint"].choices == ()
