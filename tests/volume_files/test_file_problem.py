"""Supports and query from files, asked for from Python."""

from __future__ import annotations

import pytest

from napari_revsam2 import Axis, RevSAM2Config, open_problem
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.vocabulary.errors import ProblemError


def test_the_axis_may_be_given_as_text():
    files = sample_supports(), sample_query()[0], RevSAM2Config()
    coronal = open_problem(*files, axis="coronal")
    assert coronal.axis is Axis.CORONAL
    assert coronal.query.shape == open_problem(*files, axis=Axis.CORONAL).query.shape


def test_an_unknown_axis_is_refused_before_anything_is_read():
    with pytest.raises(ProblemError, match=r"^Axis 'corona' isn't known: did you mean coronal"):
        open_problem([("missing.nii", "missing.nii")], "missing.nii", RevSAM2Config(), axis="corona")
