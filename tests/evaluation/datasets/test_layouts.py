"""Datasets are recognised by their layout; what is missing or wrong in any of them is said in a sentence."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import RevSAM2Error
from tests.evaluation.dataset_folders import decathlon, nnunet, write_pairs, write_volume


def test_window_and_axis_are_the_defaults_unless_given(tmp_path):
    decathlon(tmp_path)
    assert open_dataset(tmp_path).window == RevSAM2Config().window
    assert open_dataset(tmp_path).axis is Axis.AXIAL
    chosen = open_dataset(tmp_path, window="lung", axis=Axis.CORONAL)
    assert (chosen.window, chosen.axis) == ("lung", Axis.CORONAL)


def test_a_dataset_can_be_sent_to_another_process(tmp_path):
    dataset = open_dataset(decathlon(tmp_path))
    assert pickle.loads(pickle.dumps(dataset)) == dataset


@pytest.mark.parametrize("missing", ["labelsTr/case_002.nii.gz", "imagesTr/case_002_0000.nii.gz"])
def test_half_a_pair_is_refused_by_name(tmp_path, missing):
    (nnunet(tmp_path) / missing).unlink()
    with pytest.raises(RevSAM2Error, match=r"of case_002, do") as error:
        open_dataset(tmp_path)
    assert missing.rpartition("/")[2] in str(error.value)


def test_two_classes_of_one_name_are_refused(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text("id,name\n1,organ\n2,organ\n", encoding="utf-8")
    with pytest.raises(RevSAM2Error, match="calls 2 classes organ: use a different name for each"):
        open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,"))


def test_two_classes_of_one_name_in_a_decathlon_table_are_refused(tmp_path):
    with pytest.raises(RevSAM2Error, match="calls 2 classes kidney"):
        open_dataset(decathlon(tmp_path, labels={"1": "kidney", "2": "kidney"}))


def test_a_dataset_without_classes_is_refused(tmp_path):
    write_volume(tmp_path / "v.nii", label=0)
    with pytest.raises(RevSAM2Error, match="has no class to segment"):
        open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,"))


@pytest.mark.parametrize("name", ["two\nlines", "a\rb", "tab\tbed", "byte \udcff"])
def test_names_that_a_table_of_results_cannot_hold_are_refused(tmp_path, name):
    for changes in ({"name": name}, {"labels": {"1": name}}):
        with pytest.raises(RevSAM2Error, match=r"must be (plain text|a table of ids)") as error:
            open_dataset(decathlon(tmp_path, **changes))
        assert repr(name) in str(error.value)


def test_names_in_any_script_are_names(tmp_path):
    name = "Leber, \u809d \u06a9\u0628\u062f\u200c\u0647\u0627"
    assert open_dataset(decathlon(tmp_path, name=name)).name == name


def test_a_folder_without_a_name_of_its_own_takes_that_of_the_folder_we_are_in(tmp_path, monkeypatch):
    monkeypatch.chdir(nnunet(tmp_path / "Dataset007_Organs"))
    dataset = open_dataset(Path())
    assert dataset.name == "Dataset007_Organs"
    assert all(subject.image.is_absolute() for subject in dataset.training)  # Dask workers are in folders of their own


def test_two_volumes_of_one_name_are_refused(tmp_path):
    entries = json.loads((decathlon(tmp_path) / "dataset.json").read_text())["training"]
    with pytest.raises(RevSAM2Error, match="2 volumes named organ_001"):
        open_dataset(decathlon(tmp_path, training=[entries[0], entries[0]]))


@pytest.mark.parametrize("name", ["missing", "x" * 300, "empty", "volume.nii"])
def test_what_is_no_dataset_is_refused_by_name(tmp_path, name):
    (tmp_path / "empty").mkdir()
    write_volume(tmp_path / "volume.nii")
    with pytest.raises(RevSAM2Error, match=r"doesn't exist|isn't a dataset: choose a CSV file") as error:
        open_dataset(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_the_name_of_a_file_that_a_table_of_results_cannot_hold_is_refused(tmp_path):
    write_volume(tmp_path / "imagesTr" / "two\nlines_0000.nii.gz")
    write_volume(tmp_path / "labelsTr" / "two\nlines.nii.gz")
    (tmp_path / "dataset.json").write_text('{"file_ending": ".nii.gz", "labels": {"liver": 1}}')
    with pytest.raises(RevSAM2Error, match="rename what it names") as error:
        open_dataset(tmp_path)
    assert repr("two\nlines") in str(error.value)
