"""Means over volumes, their intervals, and paired differences."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from napari_revsam2.evaluation.experiment.result_rows import ResultRow
from napari_revsam2.evaluation.report.section import to_frame
from napari_revsam2.evaluation.report.statistics import Estimate, estimate, paired_differences
from tests.evaluation.result_rows import NAN, result


def rows(*values: float, class_name: str = "liver") -> list[ResultRow]:
    return [result(f"volume {i}", class_name=class_name, dsc=value) for i, value in enumerate(values)]


def estimate_of(rows: list[ResultRow]) -> Estimate:
    return estimate(to_frame(rows, ResultRow))


def test_groups_of_a_volume_are_averaged_before_volumes() -> None:
    many_groups = [result("a", dsc=0.2)] * 3 + [result("b", dsc=0.8)]
    assert estimate_of(many_groups).mean == pytest.approx(0.5)


def test_classes_count_the_same_however_many_volumes_show_them() -> None:
    both = rows(0.9, 0.9, 0.9) + rows(0.1, class_name="spleen")
    assert estimate_of(both).mean == pytest.approx(0.5)


def test_values_of_nan_are_left_out() -> None:
    found = estimate_of(rows(0.4, NAN, 0.6))
    assert (found.mean, found.volumes) == (pytest.approx(0.5), 2)


def test_the_interval_covers_the_true_mean_in_about_95_of_100_experiments() -> None:
    rng = np.random.default_rng(0)
    results = [estimate_of(rows(*rng.normal(0.5, 0.1, 30))) for _ in range(200)]
    assert 0.89 <= np.mean([result.low <= 0.5 <= result.high for result in results]) <= 0.99


def test_the_interval_is_the_same_each_time() -> None:
    values = rows(0.1, 0.5, 0.7, 0.3)
    assert estimate_of(values) == estimate_of(values)


def test_the_interval_takes_volumes_whole() -> None:
    """Classes that make up for each other within each volume leave the mean without doubt."""
    opposed = rows(0.2, 0.5, 0.8) + rows(0.8, 0.5, 0.2, class_name="spleen")
    found = estimate_of(opposed)
    assert found.low == pytest.approx(found.high)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_volumes_have_a_mean_and_no_interval(count: int) -> None:
    found = estimate_of(rows(*[0.5] * count))
    assert found.mean == 0.5
    assert isnan(found.low)
    assert isnan(found.high)


def test_nothing_is_known_of_no_volumes() -> None:
    found = estimate_of([])
    assert isnan(found.mean)
    assert found.volumes == 0


def test_equal_volumes_give_an_interval_of_no_width() -> None:
    found = estimate_of(rows(0.5, 0.5, 0.5))
    assert (found.low, found.high) == (0.5, 0.5)


def test_gains_are_counted_by_volume() -> None:
    assert estimate_of(rows(0.1, -0.1, 0.2)).better == 2


def test_differences_are_between_results_of_one_volume_class_group_and_n() -> None:
    ours = [result("a", dsc=0.7), result("b", dsc=0.6), result("b", dsc=0.9, group=1)]
    theirs = [result("b", "forward", dsc=0.5), result("a", "forward", dsc=0.4), result("c", "forward", dsc=0.1)]
    differences = paired_differences(to_frame(ours, ResultRow), to_frame(theirs, ResultRow))
    assert dict(zip(differences["volume"], differences["dsc"], strict=True)) == pytest.approx({"a": 0.3, "b": 0.1})


def test_results_of_another_n_are_no_partners() -> None:
    theirs = [result(mode="forward", n_support=5)]
    assert paired_differences(to_frame([result()], ResultRow), to_frame(theirs, ResultRow)).empty


def test_another_column_is_averaged_by_its_name() -> None:
    assert estimate(to_frame([result(nsd=0.25)], ResultRow), "nsd").mean == 0.25
