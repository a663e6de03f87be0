"""Reverse scores as CSV."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files.scores_file import write_scores

MASKS = np.zeros((2, 3, 4), np.uint8)
MASKS[1, 0] = 5
SCORES = {2: np.array([np.nan, 0.25]), 5: np.array([0.0, 1.0])}


def rows(path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_there_is_a_row_for_each_class_and_slice_and_no_dice_without_truth(tmp_path):
    write_scores(tmp_path / "s.csv", MASKS, SCORES, {5: (1,)})
    assert rows(tmp_path / "s.csv") == [
        {"label": label, "slice": index, "reverse_score": score, "selected": selected, "foreground_voxels": voxels}
        for label, index, score, selected, voxels in [
            ("2", "0", "", "0", "0"),
            ("2", "1", "0.250000", "0", "0"),
            ("5", "0", "0.000000", "0", "0"),
            ("5", "1", "1.000000", "1", "4"),
        ]
    ]


def test_a_range_keeps_the_numbers_that_its_slices_have_in_the_volume(tmp_path):
    write_scores(tmp_path / "s.csv", MASKS, SCORES, {}, first_slice=40)
    assert [row["slice"] for row in rows(tmp_path / "s.csv")] == ["40", "41"] * 2


def test_a_place_that_takes_no_file_is_one_sentence(tmp_path):
    with pytest.raises(VolumeFileError, match=r"s\.csv can't be written"):
        write_scores(tmp_path / "nowhere" / "s.csv", MASKS, SCORES, {})
