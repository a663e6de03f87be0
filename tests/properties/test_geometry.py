"""Whatever the orientation, spacing, type and scaling of a file: the mask lies where the organ lies in the world."""

from __future__ import annotations

import tempfile
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, ornt_transform

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files import check_same_grid, from_slices, read_image, read_labels, write_labels

ORIENTATIONS = ["".join(codes) for axes in permutations(("LR", "PA", "IS")) for codes in product(*axes)]
SHAPE = (4, 5, 3)
GREY = 7
"""Grey value of the organ as stored; that around it is 1."""

orientations = st.sampled_from(ORIENTATIONS)
lengths = st.floats(0.05, 20)
angles = st.floats(-0.3, 0.3)
affines = st.builds(
    lambda spacing, angle, origin: nib.affines.from_matvec(
        nib.eulerangles.euler2mat(*angle) @ np.diag(spacing), origin
    ),
    st.tuples(lengths, lengths, lengths),
    st.tuples(angles, angles, angles),
    st.tuples(*[st.floats(-500, 500)] * 3),
)
organs = st.sets(st.tuples(*(st.integers(0, size - 1) for size in SHAPE)), min_size=1, max_size=30)
types = st.sampled_from([np.uint8, np.int8, np.int16, np.uint16, np.int32, np.float32, np.float64])
scalings = st.none() | st.tuples(st.sampled_from([0.5, 1.0, 3.0, -2.0]), st.sampled_from([-1024.0, 0.0, 0.25]))


def organ_of(voxels: set[tuple[int, ...]]) -> np.ndarray:
    """Mask (X, Y, Z) in RAS+."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(np.array(sorted(voxels)).T)] = True
    return mask


def laid_down(voxels: np.ndarray, affine: np.ndarray, codes: str, path: Path, scaling=None) -> Path:
    """Write canonical voxels as a file whose axes run along ``codes``."""
    image = nib.Nifti1Image(voxels, affine)
    image = image.as_reoriented(ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes)))
    if scaling is None:
        image.to_filename(path)
        return path
    # What is stored stays, and the header scales it: nibabel would divide before.
    image.header.set_slope_inter(*scaling)
    with path.open("wb") as file:
        image.header["vox_offset"] = 352
        image.header["magic"] = b"n+1"
        file.write(image.header.binaryblock + bytes(4) + np.asarray(image.dataobj).tobytes(order="F"))
    return path


def world_places(image: nib.Nifti1Image) -> np.ndarray:
    """Coordinates (n, 3) of the foreground voxels in mm."""
    return nib.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj)))


@given(organs, affines, orientations, types, scalings, st.sampled_from(list(Axis)))
def test_a_mask_lies_where_the_organ_lies(organ, affine, codes, dtype, scaling, axis):
    mask = organ_of(organ)
    grey = np.where(mask, GREY, 1).astype(dtype)
    slope, offset = scaling or (1, 0)
    with tempfile.TemporaryDirectory() as folder:
        volume = read_image(laid_down(grey, affine, codes, Path(folder) / "q.nii", scaling))
        found = volume.slices(axis) == GREY * slope + offset
        write_labels(Path(folder) / "m.nii.gz", from_slices(found.astype(np.uint8), axis), like=volume)
        written, query = nib.load(Path(folder) / "m.nii.gz"), nib.load(volume.path)
        assert written.shape == query.shape
        np.testing.assert_array_equal(written.affine, query.affine)
        found_at, expected_at = world_places(written), world_places(nib.Nifti1Image(mask.astype(np.uint8), affine))
        apart = np.linalg.norm(found_at[:, None] - expected_at, axis=2)  # (n, n) mm
        assert len(found_at) == len(expected_at)
        assert apart.min(axis=0).max() < 1e-3
        assert apart.min(axis=1).max() < 1e-3


@given(organs, affines, orientations, orientations)
def test_labels_in_another_orientation_are_the_same_labels(organ, affine, codes, other):
    mask = organ_of(organ).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        image = read_image(laid_down(mask, affine, codes, Path(folder) / "q.nii"))
        labels = read_labels(laid_down(mask, affine, other, Path(folder) / "l.nii.gz"))
        check_same_grid(image, labels)
        for axis in Axis:
            np.testing.assert_array_equal(image.slices(axis), labels.slices(axis))
