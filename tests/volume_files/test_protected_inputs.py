"""What is read is never written over, however its name is spelled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files.protected_inputs import ProtectedInputs, lies_in

AN_INPUT = "is also an input or another output"
AMONG_INPUTS = "which is a folder that is read as a whole"


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A folder of slices, one of which is a link to a file elsewhere."""
    folder = tmp_path / "series"
    folder.mkdir()
    (folder / "IM1.dcm").touch()
    (tmp_path / "IM2.dcm").touch()
    (folder / "IM2.dcm").symlink_to(tmp_path / "IM2.dcm")
    return folder


@pytest.mark.parametrize("name", ["IM1.dcm", "new.csv", "deeper/new.csv", "../series/new.csv", "."])
def test_no_output_may_lie_in_a_folder_that_is_read(series, name):
    with pytest.raises(VolumeFileError, match=f"{AN_INPUT}|{AMONG_INPUTS}"):
        ProtectedInputs.of([series]).check(series / name)


def test_links_to_a_folder_that_is_read_are_seen_through(series, tmp_path):
    (tmp_path / "link").symlink_to(series)
    for read, written in ((series, tmp_path / "link"), (tmp_path / "link", series)):
        with pytest.raises(VolumeFileError, match=AMONG_INPUTS):
            ProtectedInputs.of([read]).check(written / "new.csv")


def test_what_a_link_in_the_folder_leads_to_is_protected_too(series, tmp_path):
    with pytest.raises(VolumeFileError, match=AN_INPUT):
        ProtectedInputs.of([series]).check(tmp_path / "IM2.dcm")


@pytest.mark.parametrize("make", [os.link, os.symlink])
@pytest.mark.parametrize("read", ["file", "folder"])
def test_another_name_of_a_file_that_is_read_is_refused(series, tmp_path, make, read):
    make(series / "IM1.dcm", tmp_path / "other.csv")
    with pytest.raises(VolumeFileError, match=f"{AN_INPUT}|{AMONG_INPUTS}"):
        ProtectedInputs.of([series if read == "folder" else series / "IM1.dcm"]).check(tmp_path / "other.csv")


def test_a_folder_of_labels_protects_the_series_that_it_is_read_with(series, tmp_path):
    series.rename(tmp_path / "DICOM_anon")
    (tmp_path / "Ground").mkdir()
    with pytest.raises(VolumeFileError, match=AMONG_INPUTS):
        ProtectedInputs.of([tmp_path / "Ground"]).check(tmp_path / "DICOM_anon" / "new.csv")


@pytest.mark.parametrize(("read", "written"), [("a.hdr", "a.img"), ("a.img", "a.hdr"), ("a.HDR", "a.IMG")])
def test_one_half_of_an_image_protects_the_other(tmp_path, read, written):
    with pytest.raises(VolumeFileError, match=AN_INPUT):
        ProtectedInputs.of([tmp_path / read]).check(tmp_path / written)


@pytest.mark.parametrize("other", ["Mask.PNG", "mask.png"])
def test_two_outputs_that_differ_in_case_alone_are_one(tmp_path, other):
    with pytest.raises(VolumeFileError, match=AN_INPUT):
        ProtectedInputs.of([]).and_file(tmp_path / "mask.png").check(tmp_path / other)


def test_a_file_beside_those_that_are_read_may_be_written(series, tmp_path):
    inputs = ProtectedInputs.of([series, tmp_path / "image.nii.gz"])
    inputs.check(tmp_path / "new.csv")
    inputs.check(tmp_path / "series of others" / "new.csv")


def test_a_path_lies_in_a_folder_if_it_really_does(series, tmp_path):
    (tmp_path / "link").symlink_to(series)
    assert lies_in(tmp_path / "link" / "IM1.dcm", series)
    assert lies_in(series, series)
    assert not lies_in(tmp_path / "IM2.dcm", series)
    assert not lies_in(series / "IM2.dcm", series)
