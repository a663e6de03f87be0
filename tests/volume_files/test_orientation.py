"""One patient, however the file lies, is one stack of slices; a result lies in the same place."""

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files import from_slices, read_image, write_labels

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


def test_the_spacing_is_that_of_the_canonical_axes(anatomy, lay_down):
    assert read_image(lay_down(anatomy, "SAL", degrees=20)).spacing == pytest.approx((0.5, 1.25, 3.0), abs=1e-5)
