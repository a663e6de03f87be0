"""The File menu: what it saves, and what it says when it can't."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QLineEdit

from napari_revsam2.plugin.files.volume_reader import read_layer
from napari_revsam2.plugin.layers.metadata import VOLUME
from napari_revsam2.volume_files import new_volume
from tests.engine.conftest import BRIGHT
from tests.plugin.conftest import TRUTH


def test_scores_are_saved_with_a_row_for_each_class_and_slice(ran, tmp_path):
    assert ran.sessions.save_scores(tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 8
    chosen = [int(row["slice"]) for row in rows if row["label"] == str(BRIGHT) and row["selected"] == "1"]
    assert tuple(chosen) == ran.controller.state.selected[BRIGHT]


def test_scores_that_cannot_be_saved_are_said_in_words(ran, tmp_path):
    assert not ran.sessions.save_scores(tmp_path / "nowhere" / "scores.csv")
    assert "nowhere" in ran.form.run_bar.text.text()


def test_the_result_is_saved_from_the_menu_as_the_name_says(ran, tmp_path):
    assert ran.sessions.save_result(tmp_path / "mask.nii.gz"), ran.form.run_bar.text.text()
    np.testing.assert_array_equal(read_layer(tmp_path / "mask.nii.gz")[0], TRUTH)
    assert not ran.sessions.save_result(tmp_path / "mask.png")
    assert "mask.png" in ran.form.run_bar.text.text()


@pytest.mark.parametrize("what", ["result", "session", "scores", "supports"])
@pytest.mark.parametrize("link", ["", "hard", "symbolic"])
def test_nothing_is_saved_over_a_file_that_an_input_was_read_from(ran, tmp_path, what, link):
    read = written = tmp_path / "query.nii.gz"
    read.write_text("the query")
    ran.form.inputs.query.metadata[VOLUME] = new_volume(np.zeros((2, 3, 4)), np.eye(4), read)
    if link:
        written = tmp_path / "other.nii.gz"
        written.hardlink_to(read) if link == "hard" else written.symlink_to(read)
    assert not getattr(ran.sessions, f"save_{what}")(written)
    assert f"{written} is also an input" in ran.form.run_bar.text.text()
    assert read.read_text() == "the query"


def test_without_a_result_there_is_nothing_to_save(widget, tmp_path):
    assert not widget.sessions.save_result(tmp_path / "mask.nii.gz")
    assert "run first" in widget.form.run_bar.text.text()


@pytest.mark.parametrize(("what", "ending"), [("session", "npz"), ("scores", "csv"), ("result", "nii.gz")])
def test_a_name_typed_without_its_ending_gets_it(ran, qtbot, tmp_path, monkeypatch, what, ending):
    monkeypatch.chdir(tmp_path)  # a file of the proposed name would have the dialog ask

    def type_a_name() -> None:
        dialog = ran.sessions.findChild(QFileDialog)
        dialog.findChild(QLineEdit).setText(str(tmp_path / "monday"))
        dialog.accept()

    QTimer.singleShot(0, type_a_name)
    getattr(ran.sessions, f"ask_and_save_{what}")()
    assert [path.name for path in tmp_path.glob("monday*")] == [f"monday.{ending}"]
