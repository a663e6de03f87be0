"""A table of text, and the numbers in it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from napari_revsam2.evaluation.report.statistics import Estimate
from napari_revsam2.evaluation.report.table import NOTHING, Table, estimate_text, percent_text
from tests.evaluation.result_rows import NAN

HALF = Estimate(mean=0.5, low=0.25, high=0.75, volumes=4, better=4, classes=2)
UNKNOWN = Estimate(mean=NAN, low=NAN, high=NAN, volumes=0, better=0, classes=0)
SPACE = "\N{NO-BREAK SPACE}"


class Tags(HTMLParser):
    """Collects the tags of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(text: str) -> Tags:
    return Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


NAMES = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "![a](http://b/c.png)",
    "[a][b]", "`a`", "a|b", "a\\|b", "a\\", "*a*", "_a_", "__a__", "**a**", "~~a~~", "a & b", "&lt;b&gt;",
    "&#60;b&#62;", "<http://b>", "<!-- a", "$a$", "]: http://b", "[a]: http://b", "kidney_left",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_plain_text_in_markdown_and_stays_in_its_cell(name: str) -> None:
    plain = rendered(Table("t", ("x", "y"), (("a", "b"),), "n").to_markdown())
    page = rendered(Table(name, (name, "y"), ((name, "b"),), name).to_markdown())
    assert (page.tags, page.attributes) == (plain.tags, plain.attributes)
    assert page.text.split("\n") == [
        {"t": name, "x": name, "a": name, "n": name}.get(t, t) for t in plain.text.split("\n")
    ]


def test_a_name_of_several_lines_is_one_line_in_markdown() -> None:
    page = rendered(Table("a\n\n# b", ("x\r\n|",), (("\n\n<hr>",),), "c\n- d").to_markdown())
    assert page.tags == ["h2", "table", "thead", "tr", "th", "tbody", "tr", "td", "p"]


def test_an_address_in_a_name_is_no_link() -> None:
    text = Table("t", ("x",), (("see http://b.c or www.b.c",),), "").to_markdown()
    assert "http://" not in text
    assert "www." not in text


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
