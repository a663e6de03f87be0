"""The sample volumes, with nothing to choose."""

from __future__ import annotations

import pytest

from napari_revsam2.cli import demo
from napari_revsam2.cli.demo import run_demo
from napari_revsam2.sample_data import CLASSES
from napari_revsam2.vocabulary.errors import VolumeFileError


@pytest.fixture
def requests(monkeypatch):
    """What is asked to run, which isn't run."""
    asked = []
    monkeypatch.setattr(demo, "run_request", asked.append)
    return asked


def test_three_files_are_asked_for_in_a_folder_that_is_created(requests, tmp_path):
    folder = tmp_path / "new" / "demo"
    run_demo(folder)
    (request,) = requests
    assert folder.is_dir()
    assert [path.name for path in (request.output, request.scores, request.figure)] == [
        "mask.nii.gz",
        "scores.csv",
        "figure.png",
    ]
    assert {path.parent for path in (request.output, request.scores, request.figure)} == {folder}


def test_its_inputs_ship_with_the_package(requests, tmp_path):
    run_demo(tmp_path)
    paths = [path for pair in requests[0].supports for path in pair] + [requests[0].query, requests[0].truth]
    assert len(paths) == 8
    assert all(path.is_file() for path in paths)


def test_classes_are_called_by_their_names(requests, tmp_path, capsys):
    run_demo(tmp_path)
    told = capsys.readouterr().out
    assert all(f"class {label} is the {name}" in told for label, name in CLASSES.items())


def test_a_folder_that_cannot_be_created_is_one_sentence(requests, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VolumeFileError, match="file"):
        run_demo(tmp_path / "file" / "demo")
    assert not requests
