"""Which slices a class is segmented from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from napari_revsam2.evaluation.experiment.support_group import chunks, draw_group, queries
from napari_revsam2.vocabulary.errors import ProblemError
from tests.evaluation.conftest import ORGAN, write_subject


def test_ten_supports_come_from_three_volumes_as_evenly_as_can_be(dataset):
    group = draw_group(dataset, ORGAN, 0, seed=0, n_support=10)
    counts = Counter(choice.subject.name for choice in group.choices)
    assert sorted(counts.values()) == [3, 3, 4]


def test_supports_show_the_class_and_are_no_slice_twice(dataset):
    choices = draw_group(dataset, ORGAN, 0, seed=0, n_support=10).choices
    assert len(set(choices)) == 10
    assert all(choice.index in range(2, 12) for choice in choices)


def test_fewer_supports_come_from_all_volumes_too(dataset):
    choices = draw_group(dataset, ORGAN, 0, seed=0, n_support=10).choices
    assert len({choice.subject for choice in choices[:3]}) == 3


def test_a_seed_gives_the_same_groups_and_groups_differ(dataset):
    first, again, other = (draw_group(dataset, ORGAN, number, seed=5, n_support=10) for number in (0, 0, 1))
    assert first == again
    assert first.choices != other.choices


def test_slices_of_a_volume_are_drawn_from_separate_parts_of_the_class(dataset):
    single = replace(dataset, training=dataset.training[:1])
    indices = sorted(c.index for c in draw_group(single, ORGAN, 0, seed=1, n_support=5).choices)
    assert [any(index in part for index in indices) for part in chunks(range(2, 12), 5)] == [True] * 5


def test_a_class_on_fewer_slices_gives_what_there_is(dataset):
    single = replace(dataset, training=dataset.training[:1])
    assert len(draw_group(single, ORGAN, 0, seed=1, n_support=99).choices) == 10


def test_volumes_without_the_class_give_no_support(dataset, tmp_path):
    empty = write_subject(tmp_path, "far", n_slices=2)  # ends before the organ begins
    some = replace(dataset, training=(empty, *dataset.training[:2]))
    choices = draw_group(some, ORGAN, 0, seed=0, n_support=4).choices
    assert {choice.subject.name for choice in choices} == {"subject_0", "subject_1"}


def test_a_class_that_no_volume_shows_is_said_in_words(dataset, tmp_path):
    empty = replace(dataset, training=(write_subject(tmp_path, "far", n_slices=2),))
    with pytest.raises(ProblemError, match=r"No training volume of phantoms shows class 1 \(organ\)"):
        draw_group(empty, ORGAN, 0, seed=0, n_support=4)


def test_without_a_split_the_queries_are_all_that_give_no_support(dataset):
    group = draw_group(dataset, ORGAN, 0, seed=0, n_support=10)
    supporting = {choice.subject for choice in group.choices}
    assert set(queries(dataset, group)) == set(dataset.training) - supporting
    assert len(queries(dataset, group)) == 2


def test_with_a_split_the_queries_are_the_test_volumes(dataset):
    split = replace(dataset, training=dataset.training[:3], test=dataset.training[3:])
    assert queries(split, draw_group(split, ORGAN, 0, seed=0, n_support=10)) == dataset.training[3:]


def test_chunks_are_as_equal_as_can_be_and_never_empty():
    assert chunks(range(7), 3) == [[0, 1, 2], [3, 4], [5, 6]]
    assert chunks([4], 3) == [[4]]


def test_other_volumes_make_up_for_one_with_less_of_the_class(dataset, tmp_path):
    short = write_subject(tmp_path, "short", n_slices=3)  # one slice of the organ
    some = replace(dataset, training=(short, *dataset.training[:2]))
    counts = Counter(c.subject.name for c in draw_group(some, ORGAN, 0, seed=0, n_support=10).choices)
    assert sorted(counts.values()) == [1, 4, 5]
