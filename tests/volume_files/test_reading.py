"""Image and label files of all kinds: read as they are, or refused in one sentence."""

import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import (
    read_image,
    read_labels,
)


@pytest.mark.parametrize("read", [read_image, read_labels])
@pytest.mark.parametrize("name", ["missing.nii.gz", "missing.tif", "no/such.nii", "x" * 300 + ".nii"])
def test_a_missing_file_is_named(read, name, tmp_path):
    with pytest.raises(VolumeFileError, match="doesn't exist") as error:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "series.nii").mkdir()
    with pytest.raises(VolumeFileError, match=r"series\.nii is a folder"):
        read_image(tmp_path / "series.nii")


def test_an_unknown_kind_is_refused(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"png")
    with pytest.raises(VolumeFileError, match=r"photo\.png isn't of a known kind: .*\.nii\.gz"):
        read_image(tmp_path / "photo.png")


def test_half_a_pair_is_refused(anatomy, tmp_path):
    nib.Nifti1Pair(anatomy, np.eye(4)).to_filename(tmp_path / "pair.img")
    (tmp_path / "pair.hdr").unlink()
    with pytest.raises(VolumeFileError, match=r"pair\.img"):
        read_image(tmp_path / "pair.img")


def test_a_path_may_be_a_string(anatomy, lay_down):
    assert read_image(str(lay_down(anatomy))).path.name == "image.nii.gz"


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize(("largest", "smallest_type"), [(3, np.uint8), (255, np.uint8), (256, np.uint16)])
def test_labels_take_the_smallest_type_that_holds_them(dtype, largest, smallest_type, mask, lay_down):
    labels = read_labels(lay_down((mask > 0).astype(dtype) * dtype(largest))).data
    assert labels.dtype == smallest_type
    np.testing.assert_array_equal(labels, (mask > 0) * largest)


def test_a_boolean_tiff_is_a_label_map(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.eye(6, dtype=bool), photometric="minisblack")
    assert read_labels(tmp_path / "m.tif").data.dtype == np.uint8


@pytest.mark.parametrize("value", [0.5, 1.0001, 1e-3])
def test_labels_that_are_not_integers_are_refused(value, mask, lay_down):
    path = lay_down(mask * np.float32(value))
    with pytest.raises(VolumeFileError, match=r"image\.nii\.gz has labels that aren't integers"):
        read_labels(path)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_negative_labels_are_refused(dtype, mask, lay_down):
    path = lay_down(-mask.astype(dtype))
    with pytest.raises(VolumeFileError, match=r"image\.nii\.gz has negative labels \(-2\)"):
        read_labels(path)


@pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN"), (np.inf, "NaN or infinite"), (1e30, "labels up to")])
def test_labels_that_count_nothing_are_refused(value, said, mask, lay_down):
    with pytest.raises(VolumeFileError, match=said):
        read_labels(lay_down(np.where(mask > 0, value, 0.0)))


def test_importing_the_package_imports_no_file_library():
    code = "import napari_revsam2, sys; sys.exit('nibabel' in sys.modules or 'tifffile' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
