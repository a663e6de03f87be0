"""Descriptions of the paper's datasets give names, classes, window and split to whatever holds their volumes."""

import pickle

import pytest

from napari_revsam2.evaluation.datasets.catalogue import CATALOGUE, describe
from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.settings.intensity_window import IntensityWindow
from napari_revsam2.vocabulary.errors import RevSAM2Error
from napari_revsam2.volume_files.dicom import CHAOS_CLASSES
from tests.evaluation.dataset_folders import as_published, decathlon, names, nnunet, write_volume

LABELLED = (*range(1, 11), *range(21, 41))
"""The training volumes of the BTCV challenge."""


def btcv(folder, names):
    lines = []
    for name in names:
        write_volume(folder / f"{name}.nii")
        lines.append(f"{name}.nii,{name}.nii")
    path = folder / "btcv.csv"
    path.write_text("\n".join(["image,labels", *lines]))
    return path


@pytest.mark.parametrize("description", CATALOGUE.values(), ids=CATALOGUE)
def test_the_window_of_each_description_is_known(description):
    assert IntensityWindow.parse(description.window).text == description.window


@pytest.mark.parametrize("description", CATALOGUE.values(), ids=CATALOGUE)
def test_no_volume_is_for_training_and_test(description):
    assert not set(description.training) & set(description.test)


@pytest.mark.parametrize("description", CATALOGUE.values(), ids=CATALOGUE)
def test_no_two_classes_have_one_name(description):
    assert len(set(description.classes.values())) == len(description.classes)


def test_classes_are_as_many_as_the_paper_says():
    assert {name: len(d.classes) for name, d in CATALOGUE.items()} == {
        "btcv": 14,
        "abdomenct-1k": 13,
        "synapse-ct": 4,
        "chaos-mri": 4,
    }


def test_btcv_and_abdomenct_share_all_names_but_the_veins():
    assert set(describe("btcv").classes.values()) - set(describe("abdomenct-1k").classes.values()) == {
        "portal and splenic veins"
    }


def test_the_classes_of_chaos_are_those_its_labels_are_read_as():
    assert describe("chaos-mri").classes.keys() == CHAOS_CLASSES.keys()


def test_the_split_of_btcv_is_of_37_and_6_volumes():
    assert (len(set(describe("BTCV").training)), len(set(describe("btcv").test))) == (37, 6)


def test_a_folder_as_published_is_split_by_file_name(tmp_path):
    dataset = open_dataset(as_published(tmp_path, LABELLED), "btcv")
    assert names(dataset.test) == ["0023", "0024", "0025", "0026", "0027", "0028"]
    assert names(dataset.training)[:10] == [*(f"{number:04}" for number in range(1, 10)), "0021"]
    assert dataset.test[0].labels == tmp_path / "label" / "label0023.nii.gz"
    assert (dataset.name, dataset.window) == ("BTCV", "abdomen")


def test_a_volume_that_the_split_does_not_know_is_left_out(tmp_path):
    dataset = open_dataset(as_published(tmp_path, LABELLED), "btcv")
    assert "0010" not in names(dataset.training + dataset.test)


@pytest.mark.parametrize("style", ["img{:04}", "BTCV_{:03}", "{}"])
def test_the_split_finds_volumes_by_their_number(style, tmp_path):
    dataset = open_dataset(btcv(tmp_path, [style.format(number) for number in (1, 2, *range(23, 29))]), "btcv")
    assert names(dataset.training) == [style.format(1), style.format(2)]
    assert names(dataset.test) == [style.format(number) for number in range(23, 29)]


def test_a_missing_test_volume_is_named(tmp_path):
    with pytest.raises(RevSAM2Error, match=r"lacks 0026, 0028 of the volumes that BTCV is tested on"):
        open_dataset(as_published(tmp_path, (1, 2, 3, 23, 24, 25, 27)), "btcv")


def test_a_folder_without_training_volumes_is_refused(tmp_path):
    with pytest.raises(RevSAM2Error, match="no training volume of BTCV, such as 0001"):
        open_dataset(as_published(tmp_path, range(23, 29)), "btcv")


def test_volumes_of_one_number_are_refused(tmp_path):
    with pytest.raises(RevSAM2Error, match="img_1 and scan_1, which the split can't tell apart"):
        open_dataset(btcv(tmp_path, ["img_1", "scan_1", *range(23, 29)]), "btcv")


def test_without_a_split_of_its_own_a_description_leaves_that_of_the_layout(tmp_path):
    dataset = open_dataset(nnunet(tmp_path), "abdomenct-1k")
    assert names(dataset.training) == ["case_001", "case_002"]
    assert names(dataset.test) == ["case_003"]
    assert dataset.classes[13] == "left kidney"


def test_a_description_gives_way_to_a_window_that_is_given(tmp_path):
    assert open_dataset(decathlon(tmp_path), "synapse-ct", window="liver").window == "liver"


def test_a_described_dataset_can_be_sent_to_another_process(tmp_path):
    dataset = open_dataset(as_published(tmp_path, (1, 2)), "synapse-ct")
    assert pickle.loads(pickle.dumps(dataset)) == dataset


def test_the_folders_of_chaos_are_images_and_labels(tmp_path):
    for subject in ("1", "13"):
        for part in ("DICOM_anon", "Ground"):
            (tmp_path / subject / "T2SPIR" / part).mkdir(parents=True)
    dataset = open_dataset(tmp_path, "chaos-mri")
    assert names(dataset.training) == ["1", "13"]
    assert dataset.training[1].labels == tmp_path / "13" / "T2SPIR" / "Ground"
    assert dataset.window.startswith("percentile:")


def test_an_image_as_published_without_labels_is_refused(tmp_path):
    (as_published(tmp_path, (1, 2)) / "label" / "label0002.nii.gz").unlink()
    with pytest.raises(RevSAM2Error, match=r"label0002\.nii\.gz, the labels of 0002, don't exist"):
        open_dataset(tmp_path, "synapse-ct")


def test_what_was_looked_for_is_told(tmp_path):
    with pytest.raises(RevSAM2Error, match=r"\{\}/T2SPIR/DICOM_anon and \{\}/T2SPIR/Ground"):
        open_dataset(tmp_path, "chaos-mri")


def test_an_unknown_description_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(RevSAM2Error, match="no description 'amos': use one of btcv, abdomenct-1k, synapse-ct, chaos"):
        open_dataset(tmp_path, "amos")
