"""One patient, however the file lies, is one stack of slices; labels lie on the grid of their image."""

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import (
    check_same_grid,
    from_slices,
    new_volume,
    read_image,
    read_labels,
    runs_backwards,
    write_labels,
)

ALL_CODES = ["".join(codes) for axes in permutations(("RL", "AP", "SI")) for codes in product(*axes)]


def world_positions(path: Path, label: int) -> np.ndarray:
    image = nib.load(path)
    indices = np.argwhere(np.asarray(image.dataobj) == label)
    positions = nib.affines.apply_affine(image.affine, indices).round(3) + 0.0  # no -0.0
    return np.unique(positions, axis=0)


def test_there_are_48_ways_to_lay_a_volume_down():
    assert len(set(ALL_CODES)) == 48


@pytest.mark.parametrize("codes", ALL_CODES)
def test_slices_do_not_depend_on_the_orientation_of_the_file(codes, anatomy, lay_down):
    volume = read_image(lay_down(anatomy, codes, "image.nii"))
    upright = read_image(lay_down(anatomy, "RAS", "upright.nii"))
    for axis in Axis:
        np.testing.assert_array_equal(volume.slices(axis), upright.slices(axis))
    np.testing.assert_allclose(volume.affine, upright.affine, atol=1e-4)


@pytest.mark.parametrize("codes", ALL_CODES)
def test_a_mask_comes_back_in_the_same_place_on_the_grid_of_the_query(codes, anatomy, mask, lay_down, tmp_path):
    query_path, truth_path, output = (
        lay_down(anatomy, codes, "q.nii"),
        lay_down(mask, "RAS", "t.nii"),
        tmp_path / "m.nii",
    )
    write_labels(output, mask, read_image(query_path))
    query, result = nib.load(query_path), nib.load(output)
    assert result.shape == query.shape
    np.testing.assert_array_equal(result.affine, query.affine)
    for label in (1, 2):
        np.testing.assert_array_equal(world_positions(output, label), world_positions(truth_path, label))


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PSR", "SAL", "IRP"])
@pytest.mark.parametrize("degrees", [-25, 10, 30])
def test_an_oblique_scan_is_turned_to_its_closest_axes_and_back(codes, degrees, anatomy, mask, lay_down, tmp_path):
    query = lay_down(anatomy, codes, "query.nii", degrees)
    truth = lay_down(mask, "RAS", "truth.nii", degrees)
    volume = read_image(query)
    np.testing.assert_array_equal(volume.data, anatomy)
    write_labels(tmp_path / "mask.nii", mask, volume)
    np.testing.assert_array_equal(nib.load(tmp_path / "mask.nii").affine, nib.load(query).affine)
    np.testing.assert_allclose(world_positions(tmp_path / "mask.nii", 1), world_positions(truth, 1), atol=2e-3)


@pytest.mark.parametrize(
    ("axis", "first_slice", "top_left", "bottom_right"),
    [
        # Indices in RAS+ (5, 6, 7): right is 4, anterior 5, superior 6.
        (Axis.AXIAL, np.s_[:, :, 0], (4, 5, 0), (0, 0, 0)),
        (Axis.CORONAL, np.s_[:, 0, :], (4, 0, 6), (0, 0, 0)),
        (Axis.SAGITTAL, np.s_[0, :, :], (0, 5, 6), (0, 0, 0)),
    ],
)
def test_slices_are_shown_as_radiologists_do(axis, first_slice, top_left, bottom_right, anatomy, lay_down):
    first = read_image(lay_down(anatomy)).slices(axis)[0]
    assert set(first.ravel()) == set(anatomy[first_slice].ravel())
    assert first[0, 0] == anatomy[top_left]
    assert first[-1, -1] == anatomy[bottom_right]


@pytest.mark.parametrize(
    ("axis", "shape", "along_row"),
    [(Axis.AXIAL, (7, 6, 5), (3, 5, 0)), (Axis.CORONAL, (6, 7, 5), (3, 0, 6)), (Axis.SAGITTAL, (5, 7, 6), (0, 4, 6))],
)
def test_columns_run_to_the_left_or_to_posterior(axis, shape, along_row, anatomy, lay_down):
    stack = read_image(lay_down(anatomy)).slices(axis)
    assert stack.shape == shape
    assert stack[0, 0, 1] == anatomy[along_row]


@pytest.mark.parametrize("axis", list(Axis))
def test_slices_are_a_view_and_from_slices_undoes_them(axis, anatomy, lay_down):
    volume = read_image(lay_down(anatomy, "PSR"))
    stack = volume.slices(axis)
    assert np.shares_memory(stack, volume.data)
    np.testing.assert_array_equal(from_slices(stack, axis), volume.data)
    assert np.shares_memory(from_slices(stack, axis), stack)


@pytest.mark.parametrize("axis", list(Axis))
def test_slices_along_any_axis_can_be_cut_from_the_axial_stack(axis, anatomy, lay_down):
    volume = read_image(lay_down(anatomy, "LSP"))
    turned = volume.slices(Axis.AXIAL)[tuple(slice(None, None, -1 if back else 1) for back in runs_backwards(axis))]
    cut = np.moveaxis(turned, (Axis.AXIAL, Axis.CORONAL, Axis.SAGITTAL).index(axis), 0)
    np.testing.assert_array_equal(cut, volume.slices(axis))


@pytest.mark.parametrize(
    ("axis", "spacing"),
    [(Axis.AXIAL, (3.0, 1.25, 0.5)), (Axis.CORONAL, (1.25, 3.0, 0.5)), (Axis.SAGITTAL, (0.5, 3.0, 1.25))],
)
def test_the_spacing_of_slices_is_told_in_the_order_of_the_stack(axis, spacing, anatomy, lay_down):
    assert read_image(lay_down(anatomy, "PIR")).slice_spacing(axis) == pytest.approx(spacing, abs=1e-5)


def test_a_volume_of_no_file_is_written_as_it_lies(anatomy, mask, lay_down, tmp_path):
    affine = read_image(lay_down(anatomy, degrees=10)).affine
    write_labels(tmp_path / "mask.nii", mask, new_volume(anatomy, affine, tmp_path / "nowhere.nii"))
    written = nib.load(tmp_path / "mask.nii")
    np.testing.assert_array_equal(np.asarray(written.dataobj), mask)
    np.testing.assert_allclose(written.affine, affine, atol=1e-5)


def test_the_spacing_is_that_of_the_canonical_axes(anatomy, lay_down):
    assert read_image(lay_down(anatomy, "SAL", degrees=20)).spacing == pytest.approx((0.5, 1.25, 3.0), abs=1e-5)


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
