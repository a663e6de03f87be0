"""One small anatomy, and ways to lay it down in a file."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel import orientations

SPACING = (0.5, 1.25, 3.0)


def tilted(degrees: float) -> np.ndarray:
    """Affine of a canonical grid turned about two axes, off the origin."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return nib.affines.from_matvec(about_x @ about_z @ np.diag(SPACING), [-20.0, 35.0, 7.5])


@pytest.fixture
def anatomy() -> np.ndarray:
    """(X, Y, Z) = (5, 6, 7) in RAS+, every voxel another value."""
    return np.arange(210, dtype=np.int16).reshape(5, 6, 7)


@pytest.fixture
def mask(anatomy: np.ndarray) -> np.ndarray:
    """An organ without any symmetry, two classes, in RAS+."""
    labels = np.zeros(anatomy.shape, np.uint8)
    labels[1:3, 2:5, 3:] = 1
    labels[4, 5, 0:2] = 2
    return labels


@pytest.fixture
def lay_down(tmp_path: Path) -> Callable[..., Path]:
    """Write a canonical array as a NIfTI file whose axes run along ``codes``; the world stays the same."""

    def write(voxels: np.ndarray, codes: str = "RAS", name: str = "image.nii.gz", degrees: float = 0) -> Path:
        canonical = nib.Nifti1Image(voxels, tilted(degrees))
        turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(codes))
        image = canonical.as_reoriented(turn)
        image.set_sform(image.affine, code=1)
        image.set_qform(image.affine, code=3)
        image.header.set_xyzt_units("mm", "sec")
        image.to_filename(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Bytes that were held at the peak since the start of the test."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
