"""Image and label files to volumes, whatever their format; what can't be a volume is refused in one sentence."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_revsam2.vocabulary.errors import VolumeFileError

from .dicom import read_chaos_labels, read_series
from .nifti import READ_ENDINGS, read_nifti
from .tiff import ENDINGS, read_tiff
from .volume import Volume, Voxels

_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""Errors of a path that leads to no file."""


def read_image(path: str | os.PathLike[str]) -> Volume:
    """Read a grey-value volume from a NIfTI (.nii, .nii.gz, .hdr/.img) or TIFF (.tif, .tiff) file, or a DICOM folder.

    Parameters
    ----------
    path
        The file, or a folder that holds one DICOM series (see :mod:`~napari_revsam2.volume_files.dicom`).

    Returns
    -------
    Volume
        In canonical orientation; integers keep their type, floats (and scaled integers) become float32.

    Raises
    ------
    VolumeFileError
        If the file is missing, damaged, foreign or not a volume (colours, several frames), or has voxels that are NaN
        or infinite; the text is one sentence that names the file.
    """
    volume = _read(Path(path), read_series)
    return replace(volume, data=_grey_values(volume.data, volume.path))


def read_labels(path: str | os.PathLike[str]) -> Volume:
    """Read a label volume: whole numbers from 0, one per class, in any type that holds them.

    Parameters
    ----------
    path
        The file, or a folder of PNG slices as the CHAOS challenge has them.

    Returns
    -------
    Volume
        In canonical orientation, in the smallest unsigned type that holds its labels.

    Raises
    ------
    VolumeFileError
        As for :func:`read_image`, and if a voxel is negative or not a whole number.
    """
    volume = _read(Path(path), read_chaos_labels)
    return replace(volume, data=_label_values(volume.data, volume.path))


def _read(path: Path, read_folder: Callable[[Path], Volume]) -> Volume:
    """Volume with the values as stored: any type, NaN too."""
    _check_readable(path)
    if path.is_dir():
        return read_folder(path)
    volume = read_nifti(path) if path.name.lower().endswith(READ_ENDINGS) else read_tiff(path)
    if volume.data.size == 0 or sum(size > 1 for size in volume.data.shape) < 2:
        raise VolumeFileError(f"{path} holds {volume.data.size} voxels in a line: use a volume or a 2-D image.")
    return volume


def _check_readable(path: Path) -> None:
    _check_answers(path)
    if not os.access(path, os.R_OK):
        raise VolumeFileError(f"{path} may not be read: change its permissions.")
    if not path.is_dir() and not path.is_file():
        raise VolumeFileError(f"{path} is a device or a pipe: use a file.")
    if not path.is_dir() and not path.name.lower().endswith((*READ_ENDINGS, *ENDINGS)):
        endings = ", ".join((*READ_ENDINGS, *ENDINGS))
        raise VolumeFileError(f"{path} isn't of a known kind: use a file that ends in one of {endings}.")


def _check_answers(path: Path) -> None:
    """Tell a file that doesn't exist from one whose disk or network drive fails."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                file.read(1)
    except PermissionError as error:
        raise VolumeFileError(f"{path} may not be read: change its permissions.") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in _NOWHERE:
            raise VolumeFileError(f"{path} can't be read ({error.strerror}): look at its disk or network.") from error
        raise VolumeFileError(f"{path} doesn't exist: check its name and folder.") from error


def _grey_values(voxels: Voxels, path: Path) -> Voxels:
    if voxels.dtype == bool:
        return voxels.astype(np.uint8)
    if np.issubdtype(voxels.dtype, np.integer):
        return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    _check_real(voxels, path)
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and is refused as such
        voxels = voxels.astype(np.float32, copy=False)
    _check_finite(voxels, path)
    return voxels


def _label_values(voxels: Voxels, path: Path) -> Voxels:
    if not np.issubdtype(voxels.dtype, np.integer) and voxels.dtype != bool:
        _check_real(voxels, path)
        _check_finite(voxels, path)
        if not np.array_equal(voxels, np.rint(voxels)):
            raise VolumeFileError(f"{path} has labels that aren't integers: use a label map, not an image.")
    if voxels.min() < 0:
        raise VolumeFileError(
            f"{path} has negative labels ({voxels.min():g}): number the classes from 1, background 0."
        )
    if int(voxels.max()) >= 2**64:
        raise VolumeFileError(f"{path} has labels up to {voxels.max():g}: number the classes from 1, background 0.")
    return voxels.astype(np.min_scalar_type(int(voxels.max())))


def _check_real(voxels: Voxels, path: Path) -> None:
    if not np.issubdtype(voxels.dtype, np.floating):
        raise VolumeFileError(f"{path} has voxels of type {voxels.dtype}: convert them to real numbers.")


def _check_finite(voxels: Voxels, path: Path) -> None:
    bad = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if bad:
        raise VolumeFileError(f"{path} has NaN or infinite voxels ({bad} of them): replace them and try again.")
