"""Segmentations of BIDS and the images they were drawn on."""

from __future__ import annotations

import pytest

from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.vocabulary.errors import RevSAM2Error
from tests.evaluation.dataset_folders import names, write_volume


@pytest.fixture
def bids(tmp_path):
    """Raw images of two subjects, and their segmentations among the derivatives."""
    for subject in ("sub-01", "sub-02"):
        write_volume(tmp_path / subject / "anat" / f"{subject}_T1w.nii.gz")
        write_volume(tmp_path / "derivatives" / "manual" / subject / "anat" / f"{subject}_desc-manual_dseg.nii.gz", 7)
    return tmp_path


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
    with pytest.raises(RevSAM2Error, match=r"b_dseg\.tsv, line 2, calls class 7 spleen, and an earlier row liver"):
        open_dataset(bids)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index\n7\n", " has no column name"),
        ("index\tname\nseven\tliver\n", ", line 2: index must be a whole number from 0 to 65535, not 'seven'"),
        ("index\tname\n-7\tliver\n", ", line 2: index must be"),
        (f"index\tname\n{'7' * 5000}\tliver\n", ", line 2: index must be"),
        ("index\tname\n7\n", ", line 2: name must be plain text"),
    ],
)
def test_a_table_that_names_no_classes_is_refused(bids, text, said):
    (bids / "dseg.tsv").write_text(text)
    with pytest.raises(RevSAM2Error, match=rf"dseg\.tsv{said}"):
        open_dataset(bids)


@pytest.mark.parametrize("name", [".hidden_dseg.nii.gz", "sub-01_probseg.nii.gz"])
def test_hidden_files_and_other_maps_are_no_segmentations(bids, name):
    before = open_dataset(bids)
    write_volume(bids / name)
    assert open_dataset(bids) == before


def test_sessions_of_a_subject_are_volumes_of_their_own(tmp_path):
    for session in ("ses-1", "ses-2"):
        write_volume(tmp_path / f"sub-01_{session}_T1w.nii.gz")
        write_volume(tmp_path / f"sub-01_{session}_label-organs_dseg.nii.gz")
    dataset = open_dataset(tmp_path)
    assert names(dataset.training) == ["sub-01_ses-1", "sub-01_ses-2"]
    assert [subject.image.name for subject in dataset.training] == [
        "sub-01_ses-1_T1w.nii.gz",
        "sub-01_ses-2_T1w.nii.gz",
    ]
