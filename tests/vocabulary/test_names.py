"""Names that people type."""

from __future__ import annotations

import pytest

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.vocabulary.names import meant, member


@pytest.mark.parametrize("name", ["coronal", Axis.CORONAL])
def test_a_member_is_found_by_its_value_or_as_itself(name):
    assert member(Axis, name, "Axis") is Axis.CORONAL


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("corona", "Axis 'corona' isn't known: did you mean coronal?"),
        ("CORONAL", "Axis 'CORONAL' isn't known: choose one of axial, coronal, sagittal."),
        ("", "Axis '' isn't known: choose one of axial, coronal, sagittal."),
        (1, "Axis 1 isn't known: choose one of axial, coronal, sagittal."),
    ],
)
def test_a_name_without_a_member_is_refused_with_the_nearest_or_with_all(name, sentence):
    with pytest.raises(ProblemError) as refused:
        member(Axis, name, "Axis")
    assert str(refused.value) == sentence


def test_of_names_equally_near_all_are_offered():
    assert meant("sam2-tin", ["sam2-tiny", "sam2-tina", "medsam"]) in (
        "did you mean sam2-tiny or sam2-tina?",
        "did you mean sam2-tina or sam2-tiny?",
    )


def test_the_end_of_the_sentence_can_be_another():
    assert meant("zzz", ["a", "b"], otherwise="use a file, or") == "use a file, or a, b."
