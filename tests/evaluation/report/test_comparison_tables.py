"""Tables 1 to 4: the method beside other systems, with supports from elsewhere, and from one slice."""

from __future__ import annotations

from tests.evaluation.report.found_tables import line, table
from tests.evaluation.result_rows import result


def test_dsc_is_in_percent() -> None:
    found = table([result(dsc=0.1234)], "As Tables 1 and 2: hippocampus")
    assert line(found, "RevSAM2, N = 10, k = 7")["anterior"] == "12.34"


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


def test_from_three_volumes_on_a_cell_has_its_interval() -> None:
    found = table([result(v, dsc=d) for v, d in (("a", 0.4), ("b", 0.5), ("c", 0.6))], "As Tables")
    assert line(found, "RevSAM2, N = 10, k = 7")["mDSC"] == "50.00 [40.0,\N{NO-BREAK SPACE}60.0]"
