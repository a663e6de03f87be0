"""A table of text, and the numbers in it."""

from __future__ import annotations

import pytest

from napari_revsam2.evaluation.report.statistics import Estimate
from napari_revsam2.evaluation.report.table import NOTHING, Table, estimate_text, percent_text
from tests.evaluation.result_rows import NAN

HALF = Estimate(mean=0.5, low=0.25, high=0.75, volumes=4, better=4, classes=2)
UNKNOWN = Estimate(mean=NAN, low=NAN, high=NAN, volumes=0, better=0, classes=0)
SPACE = "\N{NO-BREAK SPACE}"


def test_markdown_keeps_bars_of_names_inside_their_cell() -> None:
    assert "| a\\|b |" in Table("t", ("x",), (("a|b",),), "").to_markdown()


def test_a_row_that_does_not_fit_its_header_is_refused() -> None:
    with pytest.raises(ValueError, match="1 columns"):
        Table("t", ("x",), (("1", "2"),), "")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, f"50.00 [25.0,{SPACE}75.0]"),
        ({"signed": True}, f"+50.00 [+25.0,{SPACE}+75.0]"),
        ({"scale": 1}, f"0.500 [0.25,{SPACE}0.75]"),
        ({"volumes": 5}, f"50.00 [25.0,{SPACE}75.0] (n{SPACE}={SPACE}4)"),
        ({"classes": 3}, f"50.00 [25.0,{SPACE}75.0] (2 of 3 classes)"),
        ({"volumes": 5, "classes": 3}, f"50.00 [25.0,{SPACE}75.0] (n{SPACE}={SPACE}4; 2 of 3 classes)"),
    ],
    ids=str,
)
def test_an_estimate_is_written_with_its_interval_and_with_what_it_lacks(asked, text) -> None:
    assert estimate_text(HALF, **asked) == text


def test_what_is_not_known_is_a_dash() -> None:
    assert estimate_text(UNKNOWN, volumes=3, classes=2) == percent_text(NAN) == NOTHING


def test_the_papers_figures_are_in_percent_already() -> None:
    assert (percent_text(69.86), percent_text(4.9, signed=True)) == ("69.86", "+4.90")


def test_a_table_without_columns_is_its_title_and_its_note() -> None:
    assert Table("Table 4", (), (), "Left out.").to_markdown() == "## Table 4\n\nLeft out.\n"
