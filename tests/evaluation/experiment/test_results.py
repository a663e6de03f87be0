"""Rows in files, whatever happens as they are written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_revsam2.evaluation.experiment.results import ResultRow, RowFile, SliceRow, read_slices
from napari_revsam2.vocabulary.errors import VolumeFileError

ROW = ResultRow(
    "a, b", "a, b", 3, 'left "kidney"', 0, "case 1", "revsam2", 10, 7, 0.5, 0.25, 0.75, 0.1, float("nan"), 1.5
)
SLICE = SliceRow("d", "d", 3, 0, "v", 10, 4, 0.5, float("nan"), 1)


def test_rows_come_back_as_they_were(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW])
    file.append([replace(ROW, group=1)])
    first, second = file.read()
    assert np.isnan(first.rank_correlation)
    assert replace(first, rank_correlation=0) == replace(ROW, rank_correlation=0)
    assert second.group == 1


def test_no_file_has_no_rows(tmp_path):
    assert list(RowFile(tmp_path / "results.csv", ResultRow).read()) == []


def test_a_line_that_was_cut_off_is_no_row_and_the_next_one_is_whole(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW, replace(ROW, group=1)])
    text = file.path.read_bytes()
    file.path.write_bytes(text[:-20])
    assert [row.group for row in file.read()] == [0]
    file.append([replace(ROW, group=2)])
    assert [row.group for row in file.read()] == [0, 2]


def test_a_line_that_was_cut_off_inside_a_character_is_no_row(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW, replace(ROW, dataset="\u00fc")])
    text = file.path.read_bytes()
    file.path.write_bytes(text[: text.rindex("\u00fc".encode()) + 1])
    assert [row.dataset for row in file.read()] == ["a, b"]


def test_a_header_that_was_cut_off_is_written_again(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.path.write_bytes(b"dataset,suppo")
    file.append([ROW])
    assert [row.volume for row in file.read()] == ["case 1"]


def test_the_same_slice_written_twice_is_read_once(tmp_path):
    RowFile(tmp_path / "slices.csv", SliceRow).append([SLICE, replace(SLICE, slice=5), SLICE])
    assert [row.slice for row in read_slices(tmp_path)] == [4, 5]


def test_what_differs_in_values_alone_has_the_same_key():
    assert replace(ROW, dsc=0.1, seconds=9).key == ROW.key
    assert replace(ROW, top_k=3).key != ROW.key


@pytest.mark.parametrize(
    "damage", [(b"dsc", b"dice"), (b"\r\n", b",more\r\n"), (b",0.5,", b",half,"), (b"case 1", b"\xff")], ids=str
)
def test_a_file_that_is_not_ours_is_told_in_words(tmp_path, damage):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW])
    file.path.write_bytes(file.path.read_bytes().replace(*damage))
    with pytest.raises(VolumeFileError, match=r"results.csv can't be read as results"):
        list(file.read())


def test_a_file_that_cannot_be_written_is_told_in_words(tmp_path):
    with pytest.raises(VolumeFileError, match=r"results.csv can't be written \(No such file or directory\)"):
        RowFile(tmp_path / "gone" / "results.csv", ResultRow).append([ROW])
