import numpy as np
import pytest

from napari_revsam2.engine.problem import SupportSet, SupportSlice, stack_supports
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.vocabulary.errors import ProblemError


def volume(number: int, painted: int, label: int = 1) -> tuple[SupportSlice, ...]:
    labels = np.zeros((20, 3, 3), np.uint8)
    labels[:painted] = label
    return stack_supports(np.zeros((20, 3, 3)), labels, (0, 1), number)


def origins(supports: SupportSet, n_support: int, label: int = 1) -> list[tuple[int, int]]:
    return [(s.volume, s.index) for s in select_supports(supports, label, n_support)]


def test_supports_are_spread_evenly_within_a_volume():
    assert origins(SupportSet(volume(0, 9)), 3) == [(0, 1), (0, 4), (0, 7)]


def test_supports_are_dealt_out_to_all_volumes_in_the_order_given():
    supports = SupportSet(volume(0, 1) + volume(1, 9) + volume(2, 9))
    assert [v for v, _ in origins(supports, 7)] == [0, 1, 1, 1, 2, 2, 2]


def test_a_class_painted_on_fewer_slices_uses_them_all():
    assert origins(SupportSet(volume(0, 2)), 10) == [(0, 0), (0, 1)]


def test_only_slices_that_show_the_class_are_used():
    supports = SupportSet(volume(0, 5, label=4) + volume(1, 2, label=1))
    assert origins(supports, 10) == [(1, 0), (1, 1)]


def test_a_class_on_no_slice_is_refused():
    with pytest.raises(ProblemError, match="Class 9"):
        select_supports(SupportSet(volume(0, 3)), 9, 3)


def test_no_painted_slice_at_all_is_refused():
    with pytest.raises(ProblemError, match="No support slice is painted"):
        SupportSet(volume(0, 0))


def test_slices_asked_for_are_used_in_the_order_given():
    labels = np.ones((6, 2, 2), np.uint8)
    chosen = stack_supports(np.zeros((6, 2, 2)), labels, (0, 1), indices=[4, 1, 4])
    assert [s.index for s in chosen] == [4, 1]


def test_an_image_and_labels_of_other_shape_are_refused():
    with pytest.raises(ProblemError, match="must be the same"):
        SupportSlice(np.zeros((3, 4)), np.zeros((4, 3), int), (0, 1))
