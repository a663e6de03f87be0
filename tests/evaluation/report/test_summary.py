"""The paper's tables from the rows of an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_revsam2.evaluation.experiment.result_rows import ResultRow
from napari_revsam2.evaluation.report.summary import make_tables, write_tables
from napari_revsam2.evaluation.report.table import NOTHING, Table
from tests.evaluation.result_rows import result, slice_rows, whole_evaluation


def table(rows: list[ResultRow], title: str, slices=()) -> Table:
    (found,) = [t for t in make_tables(rows, slices) if t.title.startswith(title)]
    return found


def line(found: Table, *start: str) -> dict[str, str]:
    (row,) = [row for row in found.rows if row[: len(start)] == start]
    return dict(zip(found.header, row, strict=True))


def test_each_table_without_rows_says_why_it_is_left_out() -> None:
    found = make_tables([], [])
    assert len(found) == 7
    assert all(not t.header and t.note.startswith("Left out: no row") for t in found)


def test_dsc_is_in_percent() -> None:
    found = table([result(dsc=0.1234)], "As Tables 1 and 2: hippocampus")
    assert line(found, "RevSAM2, N = 10, k = 7")["anterior"] == "12.34"


def test_from_three_volumes_on_a_cell_has_its_interval() -> None:
    found = table([result(v, dsc=d) for v, d in (("a", 0.4), ("b", 0.5), ("c", 0.6))], "As Tables")
    assert line(found, "RevSAM2, N = 10, k = 7")["mDSC"] == "50.00 [40.0,\N{NO-BREAK SPACE}60.0]"


def test_a_cell_over_fewer_volumes_says_of_how_many() -> None:
    rows = [result("a"), result("b"), result("a", "forward")]
    assert line(table(rows, "Table 5"), "anterior", "forward propagation")["DSC, N = 10"].endswith(
        "(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1)"
    )


def test_on_the_papers_dataset_its_row_stands_below_ours() -> None:
    rows = [result(dataset="btcv", class_name="kidney_left", mode=mode) for mode in ("box", "revsam2")]
    methods = [row[0] for row in table(rows, "Table 1: btcv").rows]
    assert methods[:4] == [
        "bounding box",
        "paper, BTCV: bounding box",
        "RevSAM2, N = 10, k = 7",
        "paper, BTCV: RevSAM2",
    ]


def test_a_class_has_the_papers_figure_of_the_same_class() -> None:
    found = table([result(dataset="BTCV", class_name="kidney_left")], "Table 1")
    assert line(found, "paper, BTCV: RevSAM2") == {
        "method": "paper, BTCV: RevSAM2", "kidney_left": "85.78", "mDSC": "69.86", "mNSD": "67.66"
    }  # fmt: skip


def test_on_another_dataset_the_papers_revsam2_is_the_reference() -> None:
    found = table([result()], "As Tables")
    assert [row[0] for row in found.rows if row[0].startswith("paper")] == ["paper, BTCV: RevSAM2"]


def test_an_nnunet_of_other_epochs_stands_beside_the_papers() -> None:
    rows = [result(dataset="BTCV", class_name="liver", mode="nnunet-20")]
    assert [row[0] for row in table(rows, "Table 1").rows][:2] == ["nnU-Net-20, N = 10", "paper, BTCV: nnU-Net"]


def test_revsam2_comes_after_the_other_systems() -> None:
    rows = [result(mode=mode) for mode in ("revsam2", "zoo", "registration", "mask", "points-1")]
    methods = [row[0].split(",")[0] for row in table(rows, "As Tables").rows]
    assert methods == [
        "1 positive and 1 negative point",
        "mask on the first slice",
        "registration",
        "zoo",
        "RevSAM2",
        "paper",
    ]


def test_table_3_counts_only_classes_of_all_support_datasets() -> None:
    rows = [
        result(dataset="x", class_name="liver", dsc=0.8),
        result(dataset="x", class_name="veins", label=2, dsc=0.2),
        result(dataset="x", support_dataset="y", class_name="liver", dsc=0.6),
    ]
    found = table(rows, "Table 3")
    own, other = line(found, "x", "x"), line(found, "x", "y")
    assert (own["classes"], own["RevSAM2, mDSC"], other["RevSAM2, mDSC"]) == ("1", "80.00", "60.00")


def test_table_3_is_left_out_where_supports_are_of_the_querys_dataset() -> None:
    assert table([result()], "Table 3").note.startswith("Left out")


def test_table_4_has_all_of_the_papers_systems_on_its_dataset() -> None:
    rows = [result(dataset="CHAOS-MRI", class_name="liver", mode="one-shot", n_support=1, top_k=7)]
    methods = [row[0] for row in table(rows, "Table 4: one shot, CHAOS-MRI").rows]
    assert methods == ["RevSAM2, one shot, N = 1, k = 7",
        *(f"paper, CHAOS-MRI: {name}" for name in ("RevSAM2", "AAS-DCL", "SR&CL", "RPT", "GMRD"))]  # fmt: skip


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


def test_markdown_keeps_bars_of_names_inside_their_cell() -> None:
    assert "| a\\|b |" in Table("t", ("x",), (("a|b",),), "").to_markdown()


def test_a_row_that_does_not_fit_its_header_is_refused() -> None:
    with pytest.raises(ValueError, match="1 columns"):
        Table("t", ("x",), (("1", "2"),), "")


def test_the_file_holds_all_tables(tmp_path: Path) -> None:
    path = write_tables(tmp_path, make_tables([result()], []))
    text = path.read_text(encoding="utf-8")
    assert text.count("## ") == 7
    assert [p.name for p in tmp_path.iterdir()] == ["tables.md"]


def test_the_tables_of_a_whole_evaluation_are_those_of_the_first_release(tmp_path: Path) -> None:
    """Written before the tables were made with pandas; a change of theirs has to be meant."""
    path = write_tables(tmp_path, make_tables(*whole_evaluation()))
    expected = Path(__file__).with_name("whole_evaluation.md").read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8") == expected
