import numpy as np
import pytest

from napari_revsam2.engine.problem import SupportSet, SupportSlice, stack_supports
from napari_revsam2.engine.support_selection import choose_labels, select_supports
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


def test_all_painted_classes_are_segmented_unless_some_are_asked_for():
    supports = SupportSet(volume(0, 5, label=4) + volume(1, 2, label=1))
    assert choose_labels(supports, None) == (1, 4)
    assert choose_labels(supports, np.array([4, 4])) == (4,)


@pytest.mark.parametrize("n_support", range(1, 12))
def test_volumes_contribute_alike_as_far_as_they_can(n_support):
    chosen = origins(SupportSet(volume(0, 2) + volume(1, 9)), n_support)
    first = sum(number == 0 for number, _ in chosen)
    assert len(chosen) == n_support
    assert first == min(2, (n_support + 1) // 2)
