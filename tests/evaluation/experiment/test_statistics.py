from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from napari_revsam2.evaluation.experiment.statistics import Measurement, estimate, paired_differences, rank_correlation
from tests.evaluation.result_rows import NAN, result


def measurements(*values: float, class_name: str = "liver") -> list[Measurement]:
    return [Measurement(f"volume {i}", class_name, value) for i, value in enumerate(values)]


def test_groups_of_a_volume_are_averaged_before_volumes() -> None:
    many_groups = [Measurement("a", "liver", 0.2)] * 3 + [Measurement("b", "liver", 0.8)]
    assert estimate(many_groups).mean == pytest.approx(0.5)


def test_classes_count_the_same_however_many_volumes_show_them() -> None:
    both = measurements(0.9, 0.9, 0.9) + measurements(0.1, class_name="spleen")
    assert estimate(both).mean == pytest.approx(0.5)


def test_values_of_nan_are_left_out() -> None:
    result = estimate(measurements(0.4, NAN, 0.6))
    assert (result.mean, result.volumes) == (pytest.approx(0.5), 2)


def test_the_interval_covers_the_true_mean_in_about_95_of_100_experiments() -> None:
    rng = np.random.default_rng(0)
    results = [estimate(measurements(*rng.normal(0.5, 0.1, 30))) for _ in range(200)]
    assert 0.89 <= np.mean([result.low <= 0.5 <= result.high for result in results]) <= 0.99


def test_the_interval_is_the_same_each_time() -> None:
    values = measurements(0.1, 0.5, 0.7, 0.3)
    assert estimate(values) == estimate(values)


def test_the_interval_takes_volumes_whole() -> None:
    """Classes that make up for each other within each volume leave the mean without doubt."""
    opposed = measurements(0.2, 0.5, 0.8) + measurements(0.8, 0.5, 0.2, class_name="spleen")
    result = estimate(opposed)
    assert result.low == pytest.approx(result.high)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_volumes_have_a_mean_and_no_interval(count: int) -> None:
    result = estimate(measurements(*[0.5] * count))
    assert result.mean == 0.5
    assert isnan(result.low)
    assert isnan(result.high)


def test_nothing_is_known_of_no_volumes() -> None:
    result = estimate([])
    assert isnan(result.mean)
    assert result.volumes == 0


def test_equal_volumes_give_an_interval_of_no_width() -> None:
    result = estimate(measurements(0.5, 0.5, 0.5))
    assert (result.low, result.high) == (0.5, 0.5)


def test_gains_are_counted_by_volume() -> None:
    assert estimate(measurements(0.1, -0.1, 0.2)).better == 2


def test_differences_are_between_rows_of_one_volume_class_group_and_n() -> None:
    ours = [result("a", dsc=0.7), result("b", dsc=0.6), result("b", dsc=0.9, group=1)]
    theirs = [result("b", "forward", dsc=0.5), result("a", "forward", dsc=0.4), result("c", "forward", dsc=0.1)]
    differences = {item.volume: item.value for item in paired_differences(ours, theirs, lambda row: row.dsc)}
    assert differences == {"a": pytest.approx(0.3), "b": pytest.approx(0.1)}


def test_rows_of_another_n_are_no_partners() -> None:
    assert not paired_differences([result()], [result(mode="forward", n_support=5)], lambda row: row.dsc)


def test_rank_correlation_sees_order_alone() -> None:
    assert rank_correlation([0.1, 0.2, 0.9], [1, 10, 11]) == pytest.approx(1)


@pytest.mark.parametrize(("first", "second"), [([], []), ([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3])])
def test_without_an_order_there_is_no_rank_correlation(first: list[float], second: list[float]) -> None:
    assert isnan(rank_correlation(first, second))
