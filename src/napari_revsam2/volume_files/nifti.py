"""NIfTI-1, NIfTI-2 and Analyze files, through nibabel."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.analyze import AnalyzeImage
from nibabel.fileholders import FileHolder
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.volumeutils import native_code

from napari_revsam2.vocabulary.errors import VolumeFileError

from .length_unit import length_unit, millimetres
from .volume import Affine, FileGrid, GridDetail, Volume, Voxels, reoriented

READ_ENDINGS = (".nii", ".nii.gz", ".hdr", ".img")
WRITTEN_ENDINGS = (".nii.gz", ".nii")

_LARGEST_NIFTI1_SIZE = 32767
_DRAIN_BYTES = 2**20


@dataclass(frozen=True, eq=False)
class NiftiGrid(FileGrid):
    """A file's grid with the header that a result takes over; Analyze files have none that can be."""

    header: Nifti1Header | None


def read_nifti(path: Path) -> Volume:
    """Read a volume from a .nii, .nii.gz or .hdr/.img file.

    The voxels keep their type; where the header has a scale they become float64, scaled. One frame of a 4-D file is
    taken as the volume, a 2-D image as a volume of one slice.

    Raises
    ------
    VolumeFileError
        If the file is damaged or foreign, or holds colours or several frames.
    """
    image, voxels = _load(path)
    if voxels.dtype.names:
        raise VolumeFileError(f"{path} is a colour image (RGB): convert it to grey values and try again.")
    voxels = _as_volume(voxels, path)
    header = image.header if isinstance(image.header, Nifti1Header) else None
    affine = _millimetres(image.affine, header)
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        raise VolumeFileError(
            f"{path} has an affine that doesn't say where its voxels lie: correct its sform or qform."
        )
    grid = NiftiGrid(voxels.shape, affine, nib.io_orientation(affine), GridDetail.WORLD, header)
    return Volume.from_file_axes(voxels, path, grid)


def write_nifti(path: Path, labels: Voxels, like: Volume) -> None:
    """Write labels (X, Y, Z, canonical, unsigned) on the grid of ``like``: its axes, affine, spacing, units and codes.

    A ``like`` from a TIFF has no NIfTI axes: the canonical ones are written, with its spacing in mm.
    """
    grid = like.grid
    if not isinstance(grid, NiftiGrid):
        image = _new_image(labels, like.affine)
    elif grid.header is None:
        image = _new_image(reoriented(labels, grid.orientation), grid.affine)
    else:
        voxels, header = reoriented(labels, grid.orientation), _label_header(grid.header, labels)
        image_class: Any = nib.Nifti2Image if isinstance(header, Nifti2Header) else nib.Nifti1Image
        # Without an affine of our own, sform, qform and codes stay as they are, bit for bit.
        image = image_class(voxels, None, header)
    image.to_filename(path)


@contextmanager
def _quiet_nibabel() -> Iterator[None]:
    """Keep nibabel's own remarks on a header from the terminal: what matters of them becomes one sentence."""
    before = nib.imageglobals.logger.disabled
    nib.imageglobals.logger.disabled = True
    try:
        yield
    finally:
        nib.imageglobals.logger.disabled = before


def _load(path: Path) -> tuple[Any, Voxels]:
    """Open the file and really read its voxels, with every failure of nibabel as one sentence."""
    try:
        # No memory map: the file may be replaced by the result while the volume is in use.
        with _quiet_nibabel():
            image: Any = nib.load(path, mmap=False)
            if not isinstance(image, AnalyzeImage):
                raise TypeError(type(image))
            zipped = path.name.lower().endswith(".gz")
            return image, _gzip_voxels(path, type(image)) if zipped else np.asanyarray(image.dataobj)
    except FileNotFoundError as error:
        raise VolumeFileError(f"{path} is one half of a .hdr/.img pair: put the other half beside it.") from error
    except MemoryError as error:
        raise VolumeFileError(f"{path} needs more memory than is available: crop it, or export it again.") from error
    except Exception as error:  # nibabel has no common base: gzip, zlib, struct, numpy and its own errors come out
        raise VolumeFileError(
            f"{path} can't be read as a NIfTI image: it is damaged, cut short or of another kind; copy or export it"
            " again."
        ) from error


def _gzip_voxels(path: Path, image_class: Any) -> Voxels:
    with gzip.open(path) as stream:
        image = image_class.from_file_map({"image": FileHolder(fileobj=stream)}, mmap=False)
        voxels: Voxels = np.asanyarray(image.dataobj)
        while stream.read(_DRAIN_BYTES):
            pass  # gzip compares its checksum at the very end only
    return voxels


def _as_volume(voxels: Voxels, path: Path) -> Voxels:
    """Three axes: a frame axis of length one goes, a 2-D image gets a slice axis."""
    frames = int(np.prod(voxels.shape[3:]))
    if frames > 1:
        raise VolumeFileError(f"{path} holds {frames} frames (4-D): extract one of them and try again.")
    return voxels.reshape((*voxels.shape, 1, 1, 1)[:3], order="F")


def _millimetres(affine: Affine, header: Nifti1Header | None) -> Affine:
    scaled = np.array(affine, dtype=np.float64)
    try:
        unit = header.get_xyzt_units()[0] if header else "unknown"
    except KeyError:  # a code that the standard doesn't have
        unit = "unknown"
    scaled[:3] *= millimetres(length_unit(unit))
    return scaled


def _new_image(voxels: Voxels, affine: Affine) -> Any:
    image_class: Any = nib.Nifti1Image if max(voxels.shape) <= _LARGEST_NIFTI1_SIZE else nib.Nifti2Image
    image = image_class(voxels, affine)
    image.header.set_xyzt_units("mm")
    return image


def _label_header(header: Nifti1Header, labels: Voxels) -> Nifti1Header:
    """Take over the query's header as that of a label map in a single file.

    What describes the image's values (scale, display range, meaning) doesn't hold for labels and is reset; extensions
    stay behind, since scanners put patient data there.
    """
    header_class: Any = Nifti2Header if isinstance(header, Nifti2Header) else Nifti1Header
    block = header_class(header.binaryblock, header.endianness, check=False)
    fresh: Nifti1Header = block.as_byteswapped(native_code)
    fresh["magic"] = fresh.single_magic
    fresh["vox_offset"] = 0
    fresh["cal_min"] = fresh["cal_max"] = 0
    fresh.set_intent("none")
    fresh.set_slope_inter(1, 0)
    fresh.set_data_dtype(labels.dtype)
    return fresh
