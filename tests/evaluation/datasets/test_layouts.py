"""Datasets are recognised by their layout, and what is missing or broken is said in a sentence."""

import json
import pickle
from pathlib import Path

import pytest

from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import RevSAM2Error
from tests.evaluation.dataset_folders import decathlon, nnunet, write_volume


def names(subjects):
    return [subject.name for subject in subjects]


def write_pairs(folder, *lines, header="image,labels,name,split"):
    path = folder / "pairs.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.fixture
def bids(tmp_path):
    """Raw images of two subjects, and their segmentations among the derivatives."""
    for subject in ("sub-01", "sub-02"):
        write_volume(tmp_path / subject / "anat" / f"{subject}_T1w.nii.gz")
        write_volume(tmp_path / "derivatives" / "manual" / subject / "anat" / f"{subject}_desc-manual_dseg.nii.gz", 7)
    return tmp_path


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


def test_the_segmentations_of_bids_find_the_raw_images_of_their_subjects(bids):
    dataset = open_dataset(bids)
    assert names(dataset.training) == ["sub-01", "sub-02"]
    assert dataset.training[1].image == bids / "sub-02" / "anat" / "sub-02_T1w.nii.gz"


def test_an_image_beside_the_segmentation_goes_before_others(bids):
    beside = bids / "derivatives" / "manual" / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz"
    assert open_dataset(bids).training[0].image != write_volume(beside)
    assert open_dataset(bids).training[0].image == beside


def test_a_table_beside_bids_segmentations_names_the_classes(bids):
    (bids / "derivatives" / "manual" / "desc-manual_dseg.tsv").write_text("index\tname\n0\tnothing\n7\tthalamus\n")
    assert dict(open_dataset(bids).classes) == {7: "thalamus"}


def test_classes_that_nothing_names_are_those_in_the_label_files(bids):
    assert dict(open_dataset(bids).classes) == {7: "class 7"}


def test_pairs_may_be_relative_or_absolute_named_and_split(tmp_path):
    write_volume(tmp_path / "a" / "1.2.nii.gz")
    write_volume(tmp_path / "labels.nii", 3)
    elsewhere = write_volume(tmp_path / "elsewhere" / "b.nii.gz")
    dataset = open_dataset(write_pairs(tmp_path, "a/1.2.nii.gz,labels.nii,,", f"{elsewhere},labels.nii,second,test"))
    assert names(dataset.training) == ["1.2"]
    assert names(dataset.test) == ["second"]
    assert dataset.test[0].image == elsewhere
    assert dict(dataset.classes) == {3: "class 3"}


def test_a_table_beside_the_pairs_names_the_classes(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text("id,name\n1,liver\n4,left kidney\n")
    assert dict(open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,")).classes) == {1: "liver", 4: "left kidney"}


def test_a_table_saved_by_a_spreadsheet_is_read_without_its_byte_order_mark(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "pairs.csv").write_text("image,labels\r\nv.nii,v.nii\r\n", encoding="utf-8-sig", newline="")
    assert names(open_dataset(tmp_path / "pairs.csv").training) == ["v"]


def test_window_and_axis_are_the_defaults_unless_given(tmp_path):
    decathlon(tmp_path)
    assert open_dataset(tmp_path).window == RevSAM2Config().window
    assert open_dataset(tmp_path).axis is Axis.AXIAL
    chosen = open_dataset(tmp_path, window="lung", axis=Axis.CORONAL)
    assert (chosen.window, chosen.axis) == ("lung", Axis.CORONAL)


def test_a_dataset_can_be_sent_to_another_process(tmp_path):
    dataset = open_dataset(decathlon(tmp_path))
    assert pickle.loads(pickle.dumps(dataset)) == dataset


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": []}, "names no labelled volume"),
        ({"training": [{"image": "x.nii.gz"}]}, r"KeyError: 'label'"),
        ({"training": ["x.nii.gz"]}, "TypeError"),
        ({"training": None}, "TypeError"),
        ({"labels": ["liver"]}, "AttributeError"),
        ({"labels": {"one": "liver"}}, "ValueError"),
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
        ({"labels": {"background": 0, "whole tumor": [1, 2]}}, "whole tumor a region of several labels"),
        ({"labels": {"liver": "one"}}, "ValueError"),
        ({"labels": {"background": 0, "liver": 1, "spleen": 1}}, "gives two classes one id"),
        ({"file_ending": ".mha"}, "names no labelled volume"),
    ],
)
def test_an_nnunet_table_that_cannot_be_is_refused(tmp_path, changes, said):
    with pytest.raises(RevSAM2Error, match=said) as error:
        open_dataset(nnunet(tmp_path, **changes))
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, '{"labels": {}}'])
def test_a_broken_table_is_refused(tmp_path, content):
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(RevSAM2Error, match=r"dataset\.json"):
        open_dataset(tmp_path)


def test_a_table_with_one_key_twice_is_refused(tmp_path):
    (tmp_path / "dataset.json").write_text('{"training": [], "labels": {"1": "liver", "1": "spleen"}}')
    with pytest.raises(RevSAM2Error, match=r'dataset\.json .*"1" is there twice'):
        open_dataset(tmp_path)


@pytest.mark.parametrize("missing", ["labelsTr/case_002.nii.gz", "imagesTr/case_002_0000.nii.gz"])
def test_half_a_pair_is_refused_by_name(tmp_path, missing):
    (nnunet(tmp_path) / missing).unlink()
    with pytest.raises(RevSAM2Error, match=r"of case_002, do") as error:
        open_dataset(tmp_path)
    assert missing.rpartition("/")[2] in str(error.value)


def test_two_classes_of_one_name_are_refused(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text("id,name\n1,organ\n2,organ\n", encoding="utf-8")
    with pytest.raises(RevSAM2Error, match="calls 2 classes organ: give each a name of its own"):
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
        with pytest.raises(RevSAM2Error, match="rename what it names") as error:
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


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        (["v.nii,v.nii"], "image;labels", "no column image and no column labels"),
        (["v.nii,,,"], "image,labels,name,split", "line 2: a volume needs an image and labels"),
        (["v.nii,v.nii,,validation"], "image,labels,name,split", "line 2: the split 'validation' isn't known"),
        (["v.nii,w.nii,,"], "image,labels,name,split", r"w\.nii, the labels of v, don't exist"),
        (["w.nii,v.nii,,"], "image,labels,name,split", r"w\.nii, the image of w, doesn't exist"),
        (["w" * 300 + ".nii,v.nii,,"], "image,labels,name,split", r"w\.nii, the image of w+, doesn't exist"),
        ([], "image,labels", "names no labelled volume"),
    ],
)
def test_pairs_that_cannot_be_are_refused(tmp_path, lines, header, said):
    write_volume(tmp_path / "v.nii")
    with pytest.raises(RevSAM2Error, match=said):
        open_dataset(write_pairs(tmp_path, *lines, header=header))


@pytest.mark.parametrize("label", ["0", "-1", "1.0", "liver", ""])
def test_a_class_needs_a_whole_number(tmp_path, label):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text(f"id,name\n{label},liver\n")
    with pytest.raises(RevSAM2Error, match=r"classes\.csv, line 2"):
        open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,"))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "pairs.csv").write_bytes(b"image,labels\n\xff\xfe,\x81\n")
    with pytest.raises(RevSAM2Error, match="can't be read as a CSV file"):
        open_dataset(tmp_path / "pairs.csv")


@pytest.mark.parametrize(("image", "said"), [(None, "has no image"), ("sub-01_T2w.nii.gz", "has 2 images")])
def test_a_segmentation_that_fits_no_single_image_is_refused(bids, image, said):
    anat = bids / "sub-01" / "anat"
    if image:
        write_volume(anat / image)
    else:
        (anat / "sub-01_T1w.nii.gz").unlink()
    with pytest.raises(RevSAM2Error, match=rf"sub-01_desc-manual_dseg\.nii\.gz {said}"):
        open_dataset(bids)


def test_tables_that_contradict_each_other_are_refused(bids):
    for place, name in (("a", "liver"), ("b", "spleen")):
        (bids / f"{place}_dseg.tsv").write_text(f"index\tname\n7\t{name}\n")
    with pytest.raises(RevSAM2Error, match=r"calls class 7 spleen, and another table liver"):
        open_dataset(bids)


@pytest.mark.parametrize("name", ["missing", "x" * 300, "empty", "volume.nii"])
def test_what_is_no_dataset_is_refused_by_name(tmp_path, name):
    (tmp_path / "empty").mkdir()
    write_volume(tmp_path / "volume.nii")
    with pytest.raises(RevSAM2Error, match=r"doesn't exist|isn't a dataset: give a CSV file") as error:
        open_dataset(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
