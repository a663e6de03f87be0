"""Rows in files, whatever happens as they are written."""

from __future__ import annotations

import csv
import os
import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from napari_revsam2.evaluation.experiment.result_rows import ResultRow, SliceRow
from napari_revsam2.evaluation.experiment.row_file import RowFile, read_slices
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


@pytest.mark.parametrize("lost", [1, 20, 80, 120])
def test_a_job_that_was_cut_off_has_no_row_and_the_next_one_is_whole(tmp_path, lost):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW])
    file.append([replace(ROW, group=1), replace(ROW, group=1, top_k=3)])
    file.path.write_bytes(file.path.read_bytes()[:-lost])
    assert [row.group for row in file.read()] == [0]
    file.append([replace(ROW, group=2)])
    assert [row.group for row in file.read()] == [0, 2]


def test_rows_of_earlier_versions_and_those_whose_line_ends_an_editor_changed_are_whole(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW, replace(ROW, group=1)])
    unix = file.path.read_bytes().replace(b"\r\n", b"\n")
    for ending in (b"\n", b"\r\n"):
        file.path.write_bytes(unix.replace(b"\n", ending) + b"cut off")
        assert [row.group for row in file.read()] == [0, 1]
        file.append([replace(ROW, group=2)])
        assert [row.group for row in file.read()] == [0, 1, 2]


def test_rows_that_are_not_wanted_go_and_the_lines_of_the_others_stay(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW, replace(ROW, top_k=3), replace(ROW, top_k=1)])
    file.append([replace(ROW, group=1)])
    file.keep(lambda row: row.top_k == 7)
    kept = file.path.read_bytes()
    file.keep(lambda row: True)
    assert file.path.read_bytes() == kept
    file.append([replace(ROW, group=2)])
    file.path.write_bytes(file.path.read_bytes()[:-1])  # which takes nothing of the rows before
    assert [row.group for row in file.read()] == [0, 1]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "a;=1", "a,-1", "\uff1d1", "'=1", "''=1", "'a", "a-b", "'"]
)
def test_a_name_that_a_spreadsheet_would_run_is_text_in_the_file_and_comes_back_as_it_was(tmp_path, name):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    row = replace(ROW, dataset=name, class_name=name, volume=name, mode=name, rank_correlation=-0.5)
    file.append([row])
    assert list(file.read()) == [row]
    with file.path.open(newline="", encoding="utf-8") as lines:
        (cells,) = csv.DictReader(lines)
    for column in ("dataset", "class_name", "volume", "mode"):
        for part in re.split("[;,]", cells[column]):
            assert part.strip()[:1] not in {*"=+-@\uff1d"}
    assert cells["rank_correlation"] == "-0.5"  # a number


def test_a_line_that_was_cut_off_inside_a_character_is_no_row(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW])
    file.append([replace(ROW, dataset="\u00fc")])
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


@pytest.mark.parametrize(
    "damage",
    [
        (b"dsc", b"dice"),
        (b"\r\n", b",more\r\n"),
        (b",0.5,", b",half,"),
        (b"case 1", b"\xff"),
        (b",0.5,", b",0.5,0.5,"),
        (b",0.5,", b","),
        (b",0.5,", b",1e999,"),
        (b",3,", b",99999999999999999999,"),
        (b'""', b'"'),
    ],
    ids=str,
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


def test_a_row_is_appended_without_reading_the_file(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW])
    os.truncate(file.path, 2**26)  # a long evaluation
    with file.path.open("ab") as end:
        end.write(b"\n")
    tracemalloc.start()
    file.append([ROW])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


def test_a_cut_off_line_longer_than_a_block_is_dropped(tmp_path):
    file = RowFile(tmp_path / "results.csv", ResultRow)
    file.append([ROW])
    with file.path.open("ab") as end:
        end.write(b"x" * 200_000)
    file.append([replace(ROW, group=1)])
    assert [row.group for row in file.read()] == [0, 1]


def test_jobs_that_were_cut_off_are_whole_after_they_are_written_again(tmp_path):
    rows = [replace(ROW, group=group) for group in range(4)]
    for row in rows:
        RowFile(tmp_path / "whole.csv", ResultRow).append([row])
    whole = (tmp_path / "whole.csv").read_bytes()
    for length in range(0, len(whole), 7):
        file = RowFile(tmp_path / f"{length}.csv", ResultRow)
        file.path.write_bytes(whole[:length])
        there = {row.group for row in file.read()}
        for row in rows:
            file.append([row] if row.group not in there else [])
        assert file.path.read_bytes() == whole
