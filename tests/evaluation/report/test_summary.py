"""All tables from the rows of an evaluation."""

from __future__ import annotations

from pathlib import Path

from napari_revsam2.evaluation.report.summary import make_tables, write_tables
from tests.evaluation.result_rows import result, whole_evaluation


def test_each_table_without_rows_says_why_it_is_left_out() -> None:
    found = make_tables([], [])
    assert len(found) == 7
    assert all(not t.header and t.note.startswith("Left out: no row") for t in found)


def test_the_file_holds_all_tables(tmp_path: Path) -> None:
    path = write_tables(tmp_path, make_tables([result()], []))
    text = path.read_text(encoding="utf-8")
    assert text.count("## ") == 7
    assert [p.name for p in tmp_path.iterdir()] == ["tables.md"]


def test_the_tables_of_a_whole_evaluation_stay_as_they_are(tmp_path: Path) -> None:
    """The file was written before pandas computed the tables; a difference has to be intended."""
    path = write_tables(tmp_path, make_tables(*whole_evaluation()))
    expected = Path(__file__).with_name("whole_evaluation.md").read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8") == expected
