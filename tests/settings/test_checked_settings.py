"""What is no setting is refused in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mode": "magic"}, "Mode 'magic' isn't known: choose one of revsam2, forward, fifo, random."),
        ({"mode": "forwards"}, "Mode 'forwards' isn't known: did you mean forward?"),
        ({"mode": None}, "Mode None isn't known: choose one of revsam2, forward, fifo, random."),
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
        ({"image_size": 8224}, "Image size must be at most 8192, not 8224."),
        ({"image_size": 2**40}, "Image size must be at most 8192, not 1099511627776."),
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
