"""Results are written whole or not at all, on the query's grid."""

import os
import stat
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import (
    check_writable,
    new_volume,
    nifti,
    read_image,
    read_labels,
    replaced_file,
    tiff,
    write_labels,
)

ENDINGS = [".nii", ".nii.gz", ".tif", ".tiff"]
NOT_WRITABLE = Path("/proc/1")


@pytest.fixture
def query(anatomy, lay_down):
    return read_image(lay_down(anatomy))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("label", "stored"), [(1, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)])
@pytest.mark.parametrize("given", [np.int64, np.uint16, np.int32])
def test_labels_are_stored_in_a_byte_or_two(ending, label, stored, given, mask, query, tmp_path):
    output = tmp_path / f"mask{ending}"
    write_labels(output, (mask > 0).astype(given) * given(label), query)
    on_disk = tifffile.imread(output).dtype if "tif" in ending else nib.load(output).get_data_dtype()
    assert on_disk == stored
    np.testing.assert_array_equal(read_labels(output).data, (mask > 0) * label)


def test_labels_above_65535_are_refused_in_words(mask, query, tmp_path):
    with pytest.raises(VolumeFileError, match=r"mask\.nii can't hold label 131072"):
        write_labels(tmp_path / "mask.nii", mask.astype(np.int64) * 65536, query)


@pytest.mark.parametrize("wrong", [np.zeros((7, 6, 5), int), np.zeros((5, 6, 7)), np.full((5, 6, 7), -1)])
def test_arrays_that_are_no_labels_of_the_query_are_an_error_of_the_caller(wrong, query, tmp_path):
    with pytest.raises(ValueError, match="labels"):
        write_labels(tmp_path / "mask.nii", wrong, query)


def test_an_empty_result_and_a_boolean_one_can_be_written(mask, query, tmp_path):
    for labels in (np.zeros_like(mask), mask > 0):
        write_labels(tmp_path / "mask.nii", labels, query)
        np.testing.assert_array_equal(read_labels(tmp_path / "mask.nii").data, labels)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mask.png", r"mask\.png can't be written: use one of the endings \.nii\.gz"),
        ("mask", "endings"),
        (".nii.gz", "endings"),
        ("mask.hdr", "endings"),
        ("nowhere/mask.nii", r"folder doesn't exist: create \S+nowhere"),
        ("folder.nii", "is a folder"),
        ("image.nii.gz/mask.nii", "folder doesn't exist"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_and_at_writing(name, said, mask, query, tmp_path):
    (tmp_path / "folder.nii").mkdir()
    before = names(tmp_path)
    with pytest.raises(VolumeFileError, match=said):
        check_writable(tmp_path / name)
    with pytest.raises(VolumeFileError, match=said):
        write_labels(tmp_path / name, mask, query)
    assert names(tmp_path) == before


@pytest.mark.skipif(not NOT_WRITABLE.is_dir(), reason="needs a folder that even root can't write")
def test_a_folder_that_cannot_be_written_is_refused(mask, query):
    for attempt in (check_writable, lambda path: write_labels(path, mask, query)):
        with pytest.raises(VolumeFileError, match=r"/proc/1/mask\.nii can't be written"):
            attempt(NOT_WRITABLE / "mask.nii")


@pytest.mark.parametrize("ending", ENDINGS)
def test_checking_an_output_creates_nothing(ending, tmp_path):
    check_writable(tmp_path / f"mask{ending}")
    assert names(tmp_path) == []


@pytest.mark.parametrize("ending", [".nii.gz", ".tif"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(ending, failure, mask, query, tmp_path, monkeypatch):
    output = tmp_path / f"mask{ending}"
    output.write_bytes(b"old")
    before = names(tmp_path)

    def write_half(path, *_args, **_kwargs):
        Path(path).write_bytes(b"half")
        raise failure

    monkeypatch.setattr(nifti.nib.Nifti1Image, "to_filename", lambda _self, path: write_half(path))
    monkeypatch.setattr(tiff.tifffile, "imwrite", write_half)
    kind = VolumeFileError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(kind, match=r"mask\S+ can't be written \(No space left" if kind is VolumeFileError else None):
        write_labels(output, mask, query)
    assert output.read_bytes() == b"old"
    assert names(tmp_path) == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_written_file_replaces_the_old_one_and_nothing_else_is_left(ending, mask, query, tmp_path):
    output = tmp_path / f"mask{ending}"
    output.write_bytes(b"old")
    write_labels(output, mask, query)
    np.testing.assert_array_equal(read_labels(output).data, mask)
    assert names(tmp_path) == sorted(["image.nii.gz", output.name])


def test_a_result_may_replace_the_query_itself(mask, query):
    write_labels(query.path, mask, query)
    np.testing.assert_array_equal(read_labels(query.path).data, mask)


def test_an_output_that_is_a_link_is_written_where_it_leads(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "old.bin").write_text("old")
    labels = np.ones((2, 3, 4), np.uint8)
    for name in ("old.bin", "new.bin"):
        link = tmp_path / f"{name}.nii.gz"
        link.symlink_to(disk / name)
        write_labels(link, labels, new_volume(labels, np.eye(4), link))
        assert link.is_symlink()
        assert (disk / name).read_bytes()[:2] == b"\x1f\x8b"  # gzip, as the link's name says
    assert names(disk) == ["new.bin", "old.bin"]


@pytest.mark.parametrize(("target", "reason"), [("loop.nii", "leads to itself"), ("no/a.nii", "doesn't exist")])
def test_an_output_that_is_a_link_to_nowhere_is_refused(tmp_path, target, reason):
    link = tmp_path / "loop.nii"
    link.symlink_to(tmp_path / target)
    with pytest.raises(VolumeFileError, match=reason):
        check_writable(link)


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


@POSIX
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_new_result_can_be_read_by_whom_the_umask_allows(umask, ending, mask, query, tmp_path):
    before = os.umask(umask)
    try:
        write_labels(tmp_path / f"mask{ending}", mask, query)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / f"mask{ending}").stat().st_mode) == 0o666 & ~umask


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_result_that_replaces_a_file_keeps_its_mode(mode, ending, mask, query, tmp_path):
    output = tmp_path / f"mask{ending}"
    output.touch()
    output.chmod(mode)
    write_labels(output, mask, query)
    assert stat.S_IMODE(output.stat().st_mode) == mode
    np.testing.assert_array_equal(read_labels(output).data, mask)


@POSIX
def test_nobody_else_can_read_a_private_file_while_it_is_replaced(tmp_path):
    output = tmp_path / "private.csv"
    output.touch(0o600)
    with replaced_file(output) as temporary:
        temporary.write_text("half")
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
