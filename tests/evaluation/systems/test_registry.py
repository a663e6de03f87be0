"""Systems by name."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from napari_revsam2.engine.problem import QueryVolume
from napari_revsam2.evaluation.systems.nnunet import DEFAULT_EPOCHS, NnUNet
from napari_revsam2.evaluation.systems.registry import NAMES, find_systems
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError

CONFIG = RevSAM2Config(device="cpu")


def test_systems_bear_their_names_in_the_order_asked_for():
    names = ("nnunet-5", *reversed(NAMES))
    assert tuple(system.name for system in find_systems(names, CONFIG)) == names


def test_a_name_says_how_long_nnunet_is_trained():
    systems = find_systems(("nnunet", "nnunet-5"), CONFIG)
    assert [system.epochs for system in systems if isinstance(system, NnUNet)] == [DEFAULT_EPOCHS, 5]
    assert all(system.device == "cpu" for system in systems if isinstance(system, NnUNet))


@pytest.mark.parametrize("name", ["medicalsam2", "nnunet-many", "nnunet-", "registration-5", ""])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(ProblemError, match=r"use one of points-1, .*universeg, or nnunet-EPOCHS"):
        find_systems((name,), CONFIG)


def test_universeg_says_why_it_is_left_out_and_does_nothing():
    (universeg,) = find_systems(("universeg",), CONFIG)
    assert "isn't on PyPI" in universeg.missing()
    query = QueryVolume(np.zeros((1, 2, 2)), (0.0, 1.0))
    with pytest.raises(ProblemError, match="isn't on PyPI"):
        universeg.segment((), 1, query, (1.0, 1.0, 1.0), np.zeros((1, 2, 2), bool))


def test_the_names_are_known_without_loading_anything_heavy():
    heavy = "'torch', 'sam2', 'SimpleITK', 'nnunetv2'"
    code = f"import sys, napari_revsam2.evaluation.systems.registry; assert not {{{heavy}}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_explained_without_files_of_the_source(name):
    (system,) = find_systems((name,), CONFIG)
    assert not re.search(r"\w\.(py|md)\b", system.missing())
