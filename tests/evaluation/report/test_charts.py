from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_revsam2.evaluation.report.charts import Overlay, best_median_worst, median_per_class, montage, score_chart
from tests.evaluation.result_rows import NAN, result, slice_rows


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures as they are when they are saved."""
    figures: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k)))
    return figures


def overlay(title: str = "best", n_slices: int = 4) -> Overlay:
    truth = np.zeros((n_slices, 12, 10), bool)
    truth[1:3, 3:8, 3:8] = True
    images = np.random.default_rng(0).random(truth.shape, dtype=np.float32)
    return Overlay(title, images, (0, 1), truth, np.roll(truth, 1, axis=2))


def test_best_median_and_worst_are_chosen_by_dsc() -> None:
    rows = [result(name, dsc=dsc) for name, dsc in (("a", 0.5), ("b", 0.9), ("c", 0.1), ("d", 0.6), ("e", 0.4))]
    assert [row.volume for row in best_median_worst(rows)] == ["b", "a", "c"]


@pytest.mark.parametrize(("count", "names"), [(0, ""), (1, "a"), (2, "ba")])
def test_no_case_is_shown_twice(count: int, names: str) -> None:
    rows = [result(name, dsc=0.1 * i) for i, name in enumerate("abc"[:count])]
    assert "".join(row.volume for row in best_median_worst(rows)) == names


def test_only_the_method_in_its_usual_setting_is_shown() -> None:
    rows = [result("a"), result("b", dsc=0.9, top_k=9), result("c", "forward"), result("d", n_support=5)]
    assert [row.volume for row in best_median_worst(rows)] == ["a"]


def test_a_case_without_dsc_is_not_shown() -> None:
    assert best_median_worst([result(dsc=NAN)]) == ()


def test_the_choice_does_not_depend_on_the_order_of_rows() -> None:
    rows = [result(name, dsc=0.5) for name in "abc"]
    assert best_median_worst(rows) == best_median_worst(rows[::-1])


def test_figure_4_shows_the_median_volume_of_each_class() -> None:
    rows = [result(name, dsc=dsc) for name, dsc in (("a", 0.5), ("b", 0.9), ("c", 0.1))]
    rows.append(result("c", label=2, class_name="posterior"))
    assert [(row.class_name, row.volume) for row in median_per_class(rows)] == [("anterior", "a"), ("posterior", "c")]


def test_figure_4_has_a_panel_for_each_n_with_its_rank_correlation(tmp_path: Path, drawn: list[Figure]) -> None:
    slices = slice_rows([0.1, 0.5, 0.9], [0.2, 0.3, 0.4]) + slice_rows([0.1, 0.5, 0.9], [0.9, 0.5, 0.1], n_support=1)
    score_chart(tmp_path / "chart.png", slices, [result()])
    titles = [panel.get_title() for panel in drawn[0].axes]
    assert titles == [r"N = 10, rank correlation $\rho$ = 1.00", r"N = 1, rank correlation $\rho$ = -1.00"]


def test_figure_4_has_no_score_where_nothing_was_found(tmp_path: Path, drawn: list[Figure]) -> None:
    score_chart(tmp_path / "chart.png", slice_rows([0, 0.5, 0.6], [0, 0.3, 0.4]), [result()])
    scores, truth = (line.get_ydata() for line in drawn[0].axes[0].lines)
    assert np.isnan(scores[0])
    assert list(truth) == pytest.approx([0, 30, 40])


def test_figure_4_leaves_out_cases_without_slices(tmp_path: Path, drawn: list[Figure]) -> None:
    score_chart(tmp_path / "chart.png", slice_rows([0.5], [0.3]), [result(), result("b")])
    assert len(drawn[0].axes) == 1


def test_figure_4_of_no_slices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no slices"):
        score_chart(tmp_path / "chart.png", [], [result()])


def test_a_montage_has_a_line_of_slices_for_each_case(tmp_path: Path, drawn: list[Figure]) -> None:
    montage(tmp_path / "cases.png", [overlay("best"), overlay("worst")])
    titles = [panel.get_title() for panel in drawn[0].axes if panel.get_title()]
    assert titles == ["slice 1, DSC 0.80", "slice 2, DSC 0.80"] * 2
    assert matplotlib.image.imread(tmp_path / "cases.png").ndim == 3


def test_a_montage_of_a_volume_where_nothing_is_shows_its_slices(tmp_path: Path, drawn: list[Figure]) -> None:
    empty = np.zeros((3, 8, 8), bool)
    montage(tmp_path / "cases.png", [Overlay("worst", empty.astype(np.float32), (0, 1), empty, empty)])
    assert [panel.get_title() for panel in drawn[0].axes][:3] == [f"slice {i}, DSC 1.00" for i in range(3)]


def test_a_montage_of_no_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no cases"):
        montage(tmp_path / "cases.png", [])


def test_dollars_in_names_are_no_formula(tmp_path: Path) -> None:
    name = r"$\nothing$"
    score_chart(tmp_path / "chart.png", slice_rows([0.1, 0.5, 0.9], [0.2, 0.3, 0.4], volume=name), [result(name)])
    montage(tmp_path / "montage.png", [overlay(name)])
    assert (tmp_path / "chart.png").exists()
    assert (tmp_path / "montage.png").exists()
