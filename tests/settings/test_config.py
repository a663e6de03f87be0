"""Settings as those who write Python pass them."""

from __future__ import annotations

import pickle
from dataclasses import fields

from napari_revsam2.settings.config import Mode, Precision, RevSAM2Config
from napari_revsam2.settings.method import MethodSettings
from napari_revsam2.settings.network import NetworkSettings
from napari_revsam2.settings.window import WindowSettings


def test_names_in_text_become_members():
    config = RevSAM2Config(mode="fifo", precision="bfloat16")
    assert config.mode is Mode.FIFO
    assert config.precision is Precision.BFLOAT16
    assert config == RevSAM2Config(mode=Mode.FIFO, precision=Precision.BFLOAT16)


def test_plain_values_hold_every_setting_by_its_name():
    values = RevSAM2Config(mode=Mode.FIFO).as_dict()
    assert list(values) == [field.name for field in fields(RevSAM2Config)]
    assert (values["mode"], values["precision"], values["n_support"]) == ("fifo", "auto", 10)
    assert RevSAM2Config(**values) == RevSAM2Config(mode=Mode.FIFO)


def test_the_parts_share_no_setting_and_are_all_there_is():
    names = [field.name for part in (MethodSettings, WindowSettings, NetworkSettings) for field in fields(part)]
    assert names == [field.name for field in fields(RevSAM2Config)]


def test_settings_go_to_another_process_and_come_back_equal():
    config = RevSAM2Config(mode=Mode.RANDOM, seed=3)
    assert pickle.loads(pickle.dumps(config)) == config
    assert hash(pickle.loads(pickle.dumps(config))) == hash(config)
