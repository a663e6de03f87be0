"""Tables 5 and 6, differences between modes, and the worth of the reverse score."""

from __future__ import annotations

from napari_revsam2.evaluation.report.table import NOTHING
from tests.evaluation.report.found_tables import line, table
from tests.evaluation.result_rows import result, slice_rows


def test_a_cell_over_fewer_volumes_says_of_how_many() -> None:
    rows = [result("a"), result("b"), result("a", "forward")]
    assert line(table(rows, "Table 5"), "anterior", "forward propagation")["DSC, N = 10"].endswith(
        "(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1)"
    )


def test_table_5_has_dashes_where_an_evaluation_has_not_come_yet() -> None:
    found = table([result()], "Table 5")
    assert line(found, "anterior", "RevSAM2")["DSC, N = 5"] == NOTHING
    assert line(found, "paper: BTCV", "RevSAM2")["DSC, N = 5"] == "67.38"


def test_table_5_takes_revsam2_at_the_papers_k() -> None:
    found = table([result(top_k=9, dsc=0.9), result(top_k=7, dsc=0.7)], "Table 5")
    assert line(found, "anterior", "RevSAM2")["DSC, N = 10"] == "70.00"


def test_the_mean_over_classes_comes_before_the_classes() -> None:
    rows = [result(dsc=0.4), result(label=2, class_name="posterior", dsc=0.8)]
    found = table(rows, "Table 5")
    assert line(found, "mean over classes", "RevSAM2")["DSC, N = 10"] == "60.00"
    assert list(dict.fromkeys(row[0] for row in found.rows)) == [
        "mean over classes", "paper: BTCV", "anterior", "posterior"
    ]  # fmt: skip


def test_a_mean_over_fewer_classes_says_of_how_many() -> None:
    rows = [result(dsc=0.4), result(label=2, class_name="posterior", n_support=5)]
    found = line(table(rows, "Table 5"), "mean over classes", "RevSAM2")
    assert found["DSC, N = 10"] == "40.00 (1 of 2 classes)"


def test_table_6_has_a_column_for_each_k() -> None:
    found = table([result(top_k=k, dsc=k / 10) for k in (7, 3, 2)], "Table 6")
    ours = line(found, "anterior", "10")
    assert [ours[f"DSC, k = {k}"] for k in (9, 7, 3, 2, 1)] == [NOTHING, "70.00", "30.00", "20.00", NOTHING]


def test_a_gain_says_on_how_many_volumes() -> None:
    rows = [
        result("a", dsc=0.7),
        result("b", dsc=0.5),
        result("a", "forward", dsc=0.4),
        result("b", "forward", dsc=0.6),
    ]
    found = table(rows, "RevSAM2 minus")
    assert line(found, "anterior", "10")["minus forward propagation"] == "+10.00, better on 1 of 2"


def test_the_papers_own_gain_stands_beside_ours() -> None:
    found = table([result(), result(mode="forward")], "RevSAM2 minus")
    assert line(found, "paper: BTCV", "10")["minus forward propagation"] == "+4.93"


def test_the_choice_is_compared_with_all_and_with_the_best_possible() -> None:
    rows = [result(top_k=2, chosen_dice=0.7, nonempty_dice=0.5, rank_correlation=0.25)]
    slices = slice_rows([0, 0.9, 0.1, 0.5], [0, 0.8, 0.9, 0.1])
    cells = line(table(rows, "What π is worth", slices), "anterior", "10")
    assert cells["rank correlation of π and DSC"] == "0.250"
    assert cells["chosen minus all"] == "+20.00"
    assert cells["DSC of the best 2 slices"] == "85.00"
    assert cells["empty slices, %"] == "25.00"


def test_slices_of_supports_from_elsewhere_do_not_mix() -> None:
    rows = [result(chosen_dice=0.7, nonempty_dice=0.5)]
    slices = slice_rows([0.5], [0.8], support_dataset="elsewhere")
    assert line(table(rows, "What π is worth", slices), "anterior", "10")["DSC of the best 7 slices"] == NOTHING
