"""Settings as those who write Python give them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.settings.config import Mode, Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError


def test_names_in_text_become_members():
    config = RevSAM2Config(mode="fifo", precision="bfloat16")
    assert config.mode is Mode.FIFO
    assert config.precision is Precision.BFLOAT16
    assert config == RevSAM2Config(mode=Mode.FIFO, precision=Precision.BFLOAT16)
    assert config.as_dict()["mode"] == "fifo"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mode": "magic"}, "Mode 'magic' isn't known: give one of revsam2, forward, fifo, random."),
        ({"mode": "forwards"}, "Mode 'forwards' isn't known: did you mean forward?"),
        ({"mode": None}, "Mode None isn't known: give one of revsam2, forward, fifo, random."),
        ({"precision": "bfloat8"}, "Precision 'bfloat8' isn't known: did you mean bfloat16?"),
        ({"n_support": 2.5}, r"Supports (N) must be a whole number, not 2.5."),
        ({"top_k": "3"}, "Conditional slices (k) must be a whole number, not '3'."),
        ({"window": None}, "Window must be text, not None."),
    ],
)
def test_what_is_no_setting_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ProblemError) as refused:
        RevSAM2Config(**settings)
    assert str(refused.value) == sentence


def test_a_path_and_a_number_of_numpys_are_taken_as_they_are_meant():
    config = RevSAM2Config(checkpoint=Path("weights.pt"), n_support=np.int64(3))
    assert config == RevSAM2Config(checkpoint="weights.pt", n_support=3)
    assert type(config.n_support) is int
