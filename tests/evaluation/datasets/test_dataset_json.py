"""Folders with a dataset.json: Decathlon and nnU-Net."""

from __future__ import annotations

import pytest

from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.vocabulary.errors import RevSAM2Error
from tests.evaluation.dataset_folders import decathlon, names, nnunet


def test_a_decathlon_task_gives_its_training_volumes_and_classes(tmp_path):
    dataset = open_dataset(decathlon(tmp_path))
    assert dataset.name == "Organs"
    assert dict(dataset.classes) == {1: "liver", 2: "spleen"}
    assert names(dataset.training) == ["organ_001", "organ_002"]
    assert dataset.training[0].image == tmp_path / "imagesTr" / "organ_001.nii.gz"
    assert dataset.training[0].labels == tmp_path / "labelsTr" / "organ_001.nii.gz"


def test_test_images_without_labels_are_left_out(tmp_path):
    assert open_dataset(decathlon(tmp_path)).test == ()


def test_the_table_itself_may_be_given_instead_of_its_folder(tmp_path):
    assert open_dataset(decathlon(tmp_path) / "dataset.json") == open_dataset(tmp_path)


def test_nnunet_cases_are_paired_by_name_and_labelled_test_cases_are_the_test_set(tmp_path):
    dataset = open_dataset(nnunet(tmp_path / "Dataset007_Organs"))
    assert dataset.name == "Dataset007_Organs"
    assert dict(dataset.classes) == {1: "liver", 2: "spleen"}
    assert names(dataset.training) == ["case_001", "case_002"]
    assert names(dataset.test) == ["case_003"]
    assert dataset.test[0].image.name == "case_003_0000.nii.gz"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": []}, "names no labelled volume"),
        ({"training": [{"image": "x.nii.gz"}]}, r"list of pairs.*, but 'training\.0\.label' is missing"),
        ({"training": ["x.nii.gz"]}, "but 'training.0' is 'x.nii.gz'"),
        ({"training": None}, "training must be a list of pairs.*, not None"),
        ({"training": [{"image": "x\n.nii", "label": "y.nii"}]}, r"but 'training\.0\.image' is 'x\\n\.nii'"),
        ({"name": 5}, "name must be plain text of at most 300 characters, not 5"),
        ({"name": "x" * 301}, "name must be plain text of at most 300 characters, not 'xxx.*x': correct"),
        ({"labels": ["liver"]}, r"labels must be a table of ids .*, not \['liver'\]"),
        ({"labels": {"one": "liver"}}, r"labels must be a table of ids .*, but 'labels\.one' is 'one'"),
        ({"labels": {"65536": "liver"}}, r"but 'labels\.65536' is 65536"),
        ({"labels": {"1" * 5000: "liver"}}, r"but 'labels\.1+\.\.\.1+' is '1+\.\.\.1+'"),
        ({"labels": {"1": 2}}, r"but 'labels\.1' is 2"),
        ({"modality": ["CT"]}, r"modality must be a table of numbers and names, not \['CT'\]"),
        ({"modality": {"0": "T1", "1": "T2"}}, r"2 channels \(T1, T2\)"),
    ],
)
def test_a_decathlon_table_that_cannot_be_is_refused(tmp_path, changes, said):
    with pytest.raises(RevSAM2Error, match=said) as error:
        open_dataset(decathlon(tmp_path, **changes))
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channel_names": {"0": "T1", "1": "T2"}}, r"2 channels \(T1, T2\)"),
        ({"labels": {"background": 0, "whole tumor": [1, 2]}}, "whole tumor as a region of several labels"),
        ({"labels": {"liver": "one"}}, r"labels must be a table of names and ids .*, but 'labels\.liver' is 'one'"),
        ({"labels": {"liver": 1.5}}, r"but 'labels\.liver' is 1\.5"),
        ({"labels": {"liver": True}}, r"but 'labels\.liver' is True"),
        ({"labels": {"liver": -1}}, r"but 'labels\.liver' is -1"),
        ({"file_ending": ""}, "file_ending must be an ending such as .nii.gz, not ''"),
        ({"file_ending": "/../../x"}, "file_ending must be an ending"),
        ({"labels": {"background": 0, "liver": 1, "spleen": 1}}, "has one id for two classes"),
        ({"file_ending": ".mha"}, "names no labelled volume"),
    ],
)
def test_an_nnunet_table_that_cannot_be_is_refused(tmp_path, changes, said):
    with pytest.raises(RevSAM2Error, match=said) as error:
        open_dataset(nnunet(tmp_path, **changes))
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1]", "[" * 100_000, '{"labels": {}}', f'{{"training": {"1" * 5000}}}', '{"training": NaN}'],
)
def test_a_broken_table_is_refused(tmp_path, content):
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(RevSAM2Error, match=r"dataset\.json (isn't|holds|can't be used, it holds NaN|says)"):
        open_dataset(tmp_path)


def test_a_table_with_one_key_twice_is_refused(tmp_path):
    (tmp_path / "dataset.json").write_text('{"training": [], "labels": {"1": "liver", "1": "spleen"}}')
    with pytest.raises(RevSAM2Error, match=r"dataset\.json .*the key '1' is there twice"):
        open_dataset(tmp_path)
