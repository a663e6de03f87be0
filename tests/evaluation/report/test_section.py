"""Results of one pair of datasets."""

from __future__ import annotations

from napari_revsam2.evaluation.experiment.result_rows import ResultRow
from napari_revsam2.evaluation.report.section import Section, at_usual, sections, to_frame
from tests.evaluation.result_rows import result


def section(*rows: ResultRow) -> Section:
    (found,) = sections(to_frame(rows, ResultRow))
    return found


def test_sections_with_supports_of_their_own_come_first() -> None:
    pairs = [("b", "a"), ("b", "b"), ("a", "a")]
    rows = [result(dataset=dataset, support_dataset=supports) for dataset, supports in pairs]
    assert [part.title for part in sections(to_frame(rows, ResultRow))] == ["a", "b", "b, supports from a"]


def test_no_rows_make_no_section() -> None:
    assert list(sections(to_frame([], ResultRow))) == []


def test_classes_stand_in_the_order_of_their_ids() -> None:
    rows = (result(label=label, class_name=name) for label, name in ((6, "liver"), (3, "kidney"), (6, "liver")))
    assert section(*rows).classes == ("kidney", "liver")


def test_a_single_class_needs_no_mean_over_classes() -> None:
    assert section(result()).blocks == (("anterior", ("anterior",)),)


def test_a_cell_counts_only_the_classes_asked_for() -> None:
    part = section(result(dsc=0.4), result(label=2, class_name="posterior", dsc=0.8))
    assert part.cell(part.results, ["posterior"]) == "80.00"
    assert part.cell(part.results, part.classes) == "60.00"


def test_the_papers_n_and_k_are_the_usual_ones_or_else_the_largest() -> None:
    rows = [result(n_support=n, top_k=k) for n, k in ((10, 9), (10, 7), (5, 3))]
    assert at_usual(to_frame(rows, ResultRow), "n_support", "top_k").index.tolist() == [1]
    assert at_usual(to_frame(rows[::2], ResultRow), "top_k").index.tolist() == [0]


def test_the_usual_ones_of_no_results_are_none() -> None:
    assert at_usual(to_frame([], ResultRow), "n_support").empty
