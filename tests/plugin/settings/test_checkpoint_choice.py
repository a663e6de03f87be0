"""Checkpoints by name and from a file."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_revsam2.sam2_backend.checkpoints.checkpoint import known_checkpoints
from napari_revsam2.vocabulary.errors import CheckpointError


def test_the_checkpoints_on_offer_are_those_that_have_a_name_and_a_file(form):
    box = form.checkpoint
    assert [box.itemData(i) for i in range(box.count() - 1)] == list(known_checkpoints())
    assert box.itemText(box.count() - 1) == "File ..."


def test_a_checkpoint_that_is_not_here_says_so_and_is_not_taken_from_an_earlier_session(form):
    box = form.checkpoint
    assert box.itemText(box.findData("sam2.1-hiera-large")) == "sam2.1-hiera-large (download)"
    form.apply_choices({"checkpoint": "sam2.1-hiera-large"})
    assert form.config().checkpoint == "revsam2-mini"


@pytest.fixture
def choose_file(form, tmp_path, monkeypatch):
    """Choose 'File ...' and a file, or none, in the dialog."""

    def choose(name: str):
        path = tmp_path / name if name else ""
        if path:
            path.touch()
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        form.checkpoint.setCurrentText("File ...")
        form.checkpoint.activated.emit(form.checkpoint.currentIndex())
        return path

    return choose


def test_a_file_can_be_the_checkpoint(form, choose_file):
    path = choose_file("sam2.1_tiny.pt")
    assert form.config().checkpoint == str(path)
    assert form.checkpoint.currentText() == "sam2.1_tiny.pt"


def test_a_file_that_is_not_chosen_after_all_leaves_the_checkpoint(form, choose_file):
    choose_file("")
    assert form.config().checkpoint == "revsam2-mini"


def test_the_path_of_a_checkpoint_is_stored_nowhere(form, choose_file, stored, tmp_path):
    choose_file("sam2.1_tiny.pt")
    form.fields["seed"].native.setValue(5)
    form._stored.sync()
    text = (tmp_path / "settings.ini").read_text()
    assert "seed=5" in text
    assert "tiny" not in text
    assert "checkpoint" not in form.choices()


def test_a_file_that_is_gone_can_be_chosen_in_the_list_and_is_refused(form, choose_file):
    path = choose_file("sam2.1_tiny.pt")
    form.checkpoint.value = "revsam2-mini"
    path.unlink()
    form.checkpoint.setCurrentIndex(form.checkpoint.findData(str(path)))
    form.checkpoint.activated.emit(form.checkpoint.currentIndex())
    with pytest.raises(CheckpointError, match="no longer there"):
        form.config()


def test_a_checkpoint_whose_file_is_gone_is_refused(form, choose_file):
    choose_file("sam2.1_tiny.pt").unlink()
    with pytest.raises(CheckpointError, match="no longer there"):
        form.config()
