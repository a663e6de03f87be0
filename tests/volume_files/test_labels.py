"""Labels are whole numbers from 0 on the grid of their image."""

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import check_same_grid, read_image, read_labels


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


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAR"])
def test_labels_may_lie_otherwise_in_their_file_than_the_image(codes, anatomy, mask, lay_down):
    image, labels = read_image(lay_down(anatomy, "LAS")), read_labels(lay_down(mask, codes, "labels.nii.gz"))
    check_same_grid(image, labels)


def test_labels_of_another_shape_are_refused(anatomy, mask, lay_down):
    image, labels = read_image(lay_down(anatomy)), read_labels(lay_down(mask[:, :5], name="labels.nii.gz"))
    with pytest.raises(VolumeFileError, match=r"image\.nii\.gz .*labels\.nii\.gz .*5 x 6 x 7 and 5 x 5 x 7 voxels"):
        check_same_grid(image, labels)


def labels_with_affine(mask, affine, tmp_path):
    nib.Nifti1Image(mask, affine).to_filename(tmp_path / "labels.nii.gz")
    return read_labels(tmp_path / "labels.nii.gz")


@pytest.mark.parametrize("change", [(0, 3, 1.0), (2, 3, -0.1), (1, 1, 0.1), (0, 1, 0.05)])
def test_labels_of_another_affine_are_refused(change, anatomy, mask, lay_down, tmp_path):
    row, column, amount = change
    image = read_image(lay_down(anatomy))
    affine = image.affine.copy()
    affine[row, column] += amount
    with pytest.raises(VolumeFileError, match=r"image\.nii\.gz .*labels\.nii\.gz .*mm apart"):
        check_same_grid(image, labels_with_affine(mask, affine, tmp_path))


def test_rounding_in_the_affine_is_forgiven(anatomy, mask, lay_down, tmp_path):
    image = read_image(lay_down(anatomy, degrees=15))
    check_same_grid(image, labels_with_affine(mask, image.affine.round(4), tmp_path))


def write_tiff(path, pages, spacing=None):
    metadata = {"axes": "ZYX"} | ({"spacing": spacing, "unit": "mm"} if spacing else {})
    tifffile.imwrite(path, pages, imagej=True, metadata=metadata)


def test_tiff_labels_of_another_spacing_are_refused(mask, tmp_path):
    write_tiff(tmp_path / "image.tif", mask, 3.0)
    write_tiff(tmp_path / "labels.tif", mask, 2.0)
    with pytest.raises(VolumeFileError, match=r"image\.tif .*labels\.tif .*1 x 1 x 3 mm and 1 x 1 x 2 mm"):
        check_same_grid(read_image(tmp_path / "image.tif"), read_labels(tmp_path / "labels.tif"))


def test_tiff_labels_without_spacing_fit_an_image_of_their_shape(mask, tmp_path):
    write_tiff(tmp_path / "image.tif", mask, 3.0)
    write_tiff(tmp_path / "labels.tif", mask)
    check_same_grid(read_image(tmp_path / "image.tif"), read_labels(tmp_path / "labels.tif"))
