"""A volume that lies obliquely."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

TURN = nib.eulerangles.euler2mat(0.2, 0.1, 0.3)


@pytest.fixture(params=["RAS", "LPI", "SAR"])
def oblique(request, tmp_path: Path) -> Path:
    """An image that lies obliquely, its axes in one order or another."""
    affine = np.eye(4)
    affine[:3, :3] = TURN * (1.0, 2.0, 3.0)
    affine[:3, 3] = 5, -7, 11
    voxels = np.random.default_rng(0).integers(0, 99, (5, 6, 7)).astype(np.int16)
    orientation = nib.orientations.axcodes2ornt(request.param)
    image = nib.Nifti1Image(voxels, affine).as_reoriented(orientation)
    nib.save(image, tmp_path / "patient.nii.gz")
    return tmp_path / "patient.nii.gz"
