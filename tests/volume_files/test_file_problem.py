"""Supports and query from files, asked for from Python."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2 import Axis, RevSAM2Config, open_problem
from napari_revsam2.vocabulary.errors import ProblemError, RevSAM2Error, VolumeFileError

CONFIG = RevSAM2Config()


@pytest.fixture
def pair(anatomy, mask, lay_down):
    """Image and labels, each in an orientation of its own."""
    return lay_down(anatomy, "LPS", "image.nii"), lay_down(mask, "SAR", "labels.nii")


@pytest.fixture
def query(anatomy, lay_down):
    return lay_down(anatomy + 1, "PIR", "query.nii")


def test_the_axis_may_be_given_as_text(pair, query):
    coronal = open_problem([pair], query, CONFIG, axis="coronal")
    assert coronal.axis is Axis.CORONAL
    assert coronal.query.shape == open_problem([pair], query, CONFIG, axis=Axis.CORONAL).query.shape == (6, 7, 5)


def test_an_unknown_axis_is_refused_before_anything_is_read():
    with pytest.raises(ProblemError, match=r"^Axis 'corona' isn't known: did you mean coronal"):
        open_problem([("missing.nii", "missing.nii")], "missing.nii", CONFIG, axis="corona")


def test_all_painted_slices_are_on_offer_image_beside_labels(pair, query, anatomy, mask):
    problem = open_problem([pair], query, CONFIG, Axis.SAGITTAL)
    assert [support.index for support in problem.supports.slices] == [1, 2, 4]
    for support in problem.supports.slices:
        assert set(support.image[support.labels > 0]) == set(anatomy[support.index][mask[support.index] > 0])


def test_slices_that_are_listed_are_taken_in_their_order(pair, query):
    problem = open_problem([pair, pair], query, CONFIG, Axis.SAGITTAL, slices=[[4, 1], [2]])
    assert [(support.volume, support.index) for support in problem.supports.slices] == [(0, 4), (0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"slices": [[1], [2]]}, "for 2 of 1 support volumes"),
        ({"slices": [[3]], "axis": Axis.SAGITTAL}, r"labels\.nii: Slice 3 .* isn't annotated: choose from 1-2, 4"),
        ({"slices": [[9]], "axis": Axis.SAGITTAL}, r"labels\.nii: There is no slice 9"),
        ({"labels": [1, 3]}, r"Class 3 isn't painted .*labels\.nii: choose one that is \(1, 2\)"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(options, sentence, pair, query):
    with pytest.raises(RevSAM2Error, match=sentence):
        open_problem([pair], query, CONFIG, **options)


def test_empty_labels_and_constant_images_are_refused_by_name(pair, query, anatomy, lay_down):
    empty, flat = lay_down(np.zeros_like(anatomy), name="empty.nii"), lay_down(anatomy * 0 + 7, name="flat.nii")
    with pytest.raises(VolumeFileError, match=r"empty\.nii has no labelled slice"):
        open_problem([(pair[0], empty)], query, CONFIG)
    with pytest.raises(ProblemError, match=r"flat\.nii is a constant image \(7 everywhere\)"):
        open_problem([pair], flat, CONFIG)


def test_truth_and_result_lie_on_the_query(pair, query, mask, lay_down, tmp_path):
    problem = open_problem([pair], query, CONFIG, Axis.CORONAL)
    truth = problem.read_truth(lay_down(mask, "AIL", "truth.nii"))
    problem.write(tmp_path / "result.nii", truth)
    written = nib.load(tmp_path / "result.nii")
    np.testing.assert_array_equal(written.affine, nib.load(query).affine)
    np.testing.assert_array_equal(nib.as_closest_canonical(written).get_fdata(), mask)


def test_truth_on_another_grid_is_refused(pair, query, mask, lay_down):
    problem = open_problem([pair], query, CONFIG)
    with pytest.raises(VolumeFileError, match=r"truth\.nii don't lie on the same grid"):
        problem.read_truth(lay_down(mask[:4], name="truth.nii"))
