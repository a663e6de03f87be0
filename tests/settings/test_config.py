"""Settings as those who write Python pass them."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.settings.config import Mode, Precision, RevSAM2Config
from napari_revsam2.settings.method import MethodSettings
from napari_revsam2.settings.network import NetworkSettings
from napari_revsam2.settings.window import WindowSettings
from napari_revsam2.vocabulary.errors import ProblemError


def test_names_in_text_become_members():
    config = RevSAM2Config(mode="fifo", precision="bfloat16")
    assert config.mode is Mode.FIFO
    assert config.precision is Precision.BFLOAT16
    assert config == RevSAM2Config(mode=Mode.FIFO, precision=Precision.BFLOAT16)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mode": "magic"}, "Mode 'magic' isn't known: give one of revsam2, forward, fifo, random."),
        ({"mode": "forwards"}, "Mode 'forwards' isn't known: did you mean forward?"),
        ({"mode": None}, "Mode None isn't known: give one of revsam2, forward, fifo, random."),
        ({"precision": "bfloat8"}, "Precision 'bfloat8' isn't known: did you mean bfloat16?"),
        ({"n_support": 2.5}, "Supports (N) must be a whole number, not 2.5."),
        ({"n_support": 2.0}, "Supports (N) must be a whole number, not 2.0."),
        ({"n_support": True}, "Supports (N) must be a whole number, not True."),
        ({"n_support": 0}, "Supports (N) must be at least 1, not 0."),
        ({"n_support": 10**20}, "Supports (N) must be at most 4294967295, not 100000000000000000000."),
        ({"seed": 2**32}, "Seed must be at most 4294967295, not 4294967296."),
        ({"seed": np.int64(-1)}, "Seed must be at least 0, not -1."),
        ({"top_k": "3"}, "Conditional slices (k) must be a whole number, not '3'."),
        ({"image_size": 100}, "Image size must be a multiple of 32, not 100."),
        ({"window": None}, "Window must be text, not None."),
        ({"checkpoint": 7}, "Checkpoint must be text, not 7."),
        ({"n_suport": 3}, "Setting 'n_suport' isn't known: did you mean n_support?"),
    ],
)
def test_what_is_no_setting_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ProblemError) as refused:
        RevSAM2Config(**settings)
    assert str(refused.value) == sentence


def test_what_can_not_be_is_refused_in_a_replacement_as_well():
    with pytest.raises(ProblemError, match="at least 1"):
        replace(RevSAM2Config(), top_k=0)


def test_settings_without_a_name_are_refused():
    with pytest.raises(TypeError, match="by name"):
        RevSAM2Config(3)


def test_a_path_and_a_number_of_numpys_are_taken_as_they_are_meant():
    config = RevSAM2Config(checkpoint=Path("weights.pt"), n_support=np.int64(3))
    assert config == RevSAM2Config(checkpoint="weights.pt", n_support=3)
    assert type(config.n_support) is int


def test_a_checkpoint_may_have_a_name_that_is_no_text_to_the_system():
    assert RevSAM2Config(checkpoint="weights-\udcff.pt").checkpoint == "weights-\udcff.pt"


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
