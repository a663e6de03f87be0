"""Supports and query, checked once."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice, stack_supports
from napari_revsam2.settings.method import MethodSettings
from napari_revsam2.vocabulary.errors import ProblemError

from .conftest import BRIGHT, DARK, paint
from .fake_propagator import FakePropagator

IMAGE = np.zeros((3, 4))


def slice_with(labels: object, kind: type = int, **place: int) -> SupportSlice:
    return SupportSlice(IMAGE, np.full((3, 4), labels, kind), (0, 1), **place)


def test_a_class_below_zero_is_refused_with_its_place():
    with pytest.raises(ProblemError) as refused:
        slice_with(-1, np.int8, volume=1, index=7)
    assert str(refused.value) == (
        "Slice 7 of support volume 2 has the class -1: number the classes from 1; 0 is the background."
    )


@pytest.mark.parametrize("kind", [np.float32, np.complex64, object, "U1"])
def test_labels_that_are_no_whole_numbers_are_refused(kind):
    with pytest.raises(
        ProblemError, match=r"^Slice 0 of support volume 1 has labels of type .*: class ids must be whole"
    ):
        slice_with(1, kind)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, np.uint64])
def test_whole_numbers_of_every_type_are_labels(kind):
    assert SupportSet((slice_with(1, kind),)).labels == (1,)


def test_an_image_and_labels_of_other_shape_are_refused():
    with pytest.raises(ProblemError, match="must be the same"):
        SupportSlice(IMAGE, np.zeros((4, 3), int), (0, 1))


def test_a_mask_is_one_class_of_the_labels():
    labels = np.array([[0, 1], [2, 1]])
    assert SupportSlice(np.zeros((2, 2)), labels, (0, 1)).mask(1).tolist() == [[False, True], [False, True]]


def test_a_set_knows_its_classes_and_where_they_are(supports):
    assert supports.labels == (BRIGHT, DARK)
    assert [support.index for support in supports.painted_with(DARK)] == [1, 2, 3, 4]
    assert supports.painted_with(3) == ()


def test_no_painted_slice_at_all_is_refused():
    with pytest.raises(ProblemError, match="No support slice is painted"):
        SupportSet((slice_with(0),))


def test_painted_slices_of_a_volume_are_collected_with_their_numbers():
    stacked = stack_supports(*paint((5, 10, 12)), (0.0, 100.0), volume=2)
    assert [(support.volume, support.index) for support in stacked] == [(2, 1), (2, 2), (2, 3), (2, 4)]


def test_slices_asked_for_are_used_in_the_order_given():
    chosen = stack_supports(np.zeros((6, 2, 2)), np.ones((6, 2, 2), np.uint8), (0, 1), indices=[4, 1, 4])
    assert [support.index for support in chosen] == [4, 1]


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        (9, "There is no slice 9: support volume 1 has slices 0 to 8, of which 1-3, 5, 7-8 are annotated."),
        (-1, "There is no slice -1: support volume 1 has slices 0 to 8, of which 1-3, 5, 7-8 are annotated."),
        (4, "Slice 4 of support volume 1 isn't annotated: choose from 1-3, 5, 7-8."),
    ],
)
def test_a_slice_that_is_not_there_or_not_painted_is_refused_with_those_that_are(index, sentence):
    labels = np.zeros((9, 2, 2), np.uint8)
    labels[[1, 2, 3, 5, 7, 8]] = 1
    with pytest.raises(ProblemError) as refused:
        stack_supports(np.zeros((9, 2, 2)), labels, (0, 1), indices=[index])
    assert str(refused.value) == sentence


def test_a_query_has_slices():
    assert QueryVolume(np.zeros((8, 14, 13)), (0, 1)).shape == (8, 14, 13)
    with pytest.raises(ProblemError, match="no slice"):
        QueryVolume(np.zeros((0, 14, 13)), (0, 1))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0], "Class 0 is the background: choose from the painted classes, 1, 5."),
        ([BRIGHT, 0], "Class 0 is the background: choose from the painted classes, 1, 5."),
        ([-1], "Class -1 isn't painted on any support slice: choose from the painted classes, 1, 5."),
        ([3], "Class 3 isn't painted on any support slice: choose from the painted classes, 1, 5."),
        ([], "No class is asked for: choose from the painted classes, 1, 5."),
    ],
)
def test_classes_that_can_not_be_segmented_are_refused_before_the_network_is_asked(supports, query, labels, sentence):
    network = FakePropagator()
    with pytest.raises(ProblemError) as refused:
        next(run_revsam2(network, supports, query, MethodSettings(), labels))
    assert str(refused.value) == sentence
    assert network.n_calls == 0


def test_a_class_asked_for_twice_is_segmented_once(supports, query):
    *_, finished = run_revsam2(FakePropagator(), supports, query, MethodSettings(), [DARK, BRIGHT, DARK])
    assert [result.label for result in finished.labels] == [DARK, BRIGHT]
