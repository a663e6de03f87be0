"""NIfTI-1, NIfTI-2 and Analyze files, through nibabel."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.analyze import AnalyzeImage
from nibabel.fileholders import FileHolder
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.volumeutils import apply_read_scaling

from napari_revsam2.vocabulary.errors import VolumeFileError

from .available_memory import check_memory
from .length_unit import length_unit, millimetres
from .volume import Affine, FileGrid, GridDetail, Volume, Voxels, reoriented

READ_ENDINGS = (".nii", ".nii.gz", ".hdr", ".img")
WRITTEN_ENDINGS = (".nii.gz", ".nii")

_PAIR_ENDINGS = (".hdr", ".img")
_LARGEST_NIFTI1_SIZE = 32767
_LARGEST_GZIP_RATIO = 1032
"""Deflate packs no better: 258 bytes in two bits."""
_LARGEST_REST = 2**20
"""Bytes that may follow the voxels in a gzip stream."""
_PART = 2**20
_GRID_FIELDS = (
    "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y",
    "qoffset_z", "srow_x", "srow_y", "srow_z",
)  # fmt: skip
"""What a header says of the place of its voxels, beside ``pixdim``."""
_UNREADABLE = "can't be read as a NIfTI image"
_DAMAGED = "it is damaged, cut short or of another kind; copy or export it again."


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
    voxels = _as_volume(voxels)
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
        with _quiet_nibabel():
            image = _open_pair(path) if path.suffix.lower() in _PAIR_ENDINGS else _open_single(path)
            return image, _read_voxels(image, path)
    except VolumeFileError:
        raise
    except FileNotFoundError as error:
        raise VolumeFileError(f"{path} is one half of a .hdr/.img pair: put the other half beside it.") from error
    except MemoryError as error:
        raise VolumeFileError(f"{path} needs more memory than is available: crop it, or export it again.") from error
    except Exception as error:  # nibabel has no common base: gzip, zlib, struct, numpy and its own errors come out
        raise VolumeFileError(f"{path} {_UNREADABLE}: {_DAMAGED}") from error


def _open_pair(path: Path) -> Any:
    image: Any = nib.load(path, mmap=False)
    if not isinstance(image, AnalyzeImage):
        raise TypeError(type(image))
    return image


def _open_single(path: Path) -> Any:
    """Open a .nii or .nii.gz file by its header alone; its extensions, which may unpack to any size, stay unread."""
    with _stream(path) as stream:
        head = stream.read(nib.Nifti2Image.header_class.template_dtype.itemsize)
    for image_class in (nib.Nifti1Image, nib.Nifti2Image):
        header_class: Any = image_class.header_class
        if header_class.may_contain_header(head):
            block = BytesIO(head[: header_class.template_dtype.itemsize])
            return image_class.from_file_map({"image": FileHolder(fileobj=block)}, mmap=False)
    raise TypeError("neither NIfTI-1 nor NIfTI-2")


def _read_voxels(image: Any, path: Path) -> Voxels:
    """Read and scale what the header claims, once the file can hold it and memory suffices.

    The voxels are read into memory, not mapped: the file may be replaced by the result while the volume is in use.
    """
    claim = image.dataobj  # shape, type and place of the voxels; nothing is read through it
    _check_claim(claim, path)
    size = math.prod(claim.shape) * claim.dtype.itemsize
    scaled = (claim.slope, claim.inter) != (1, 0)
    file = Path(image.file_map["image"].filename or path)
    held = file.stat().st_size * (_LARGEST_GZIP_RATIO if _is_zipped(file) else 1)
    if claim.offset + size > held:
        raise VolumeFileError(_too_short(path, claim.offset + size, f"at most {held:,}"))
    check_memory(path, size + scaled * math.prod(claim.shape) * np.dtype(np.float64).itemsize)
    with _stream(file) as stream:
        stream.seek(claim.offset)
        stored = np.empty(size, np.uint8)  # takes memory only as it is filled
        filled = _fill(stored, stream)
        if filled < size:
            raise VolumeFileError(_too_short(path, claim.offset + size, f"{claim.offset + filled:,}"))
        # gzip compares its checksum at the very end only.
        if _is_zipped(file) and len(stream.read(_LARGEST_REST + 1)) > _LARGEST_REST:
            raise VolumeFileError(
                f"{path} {_UNREADABLE}: it unpacks to more than the {claim.offset + size:,} bytes that its header"
                f" claims; {_DAMAGED}"
            )
    voxels = np.ndarray(claim.shape, claim.dtype, stored, order="F")
    scaled_voxels: Voxels = apply_read_scaling(voxels, claim.slope, claim.inter)
    return scaled_voxels


def _check_claim(claim: Any, path: Path) -> None:
    """Refuse by the header what is no volume of grey values, before its voxels are read."""
    if claim.dtype.names:
        raise VolumeFileError(f"{path} is a colour image (RGB): convert it to grey values and try again.")
    if claim.offset < 0 or min(claim.shape, default=0) < 1:
        raise ValueError("sizes below 1")
    frames = math.prod(claim.shape[3:])
    if frames > 1:
        raise VolumeFileError(f"{path} holds {frames} frames (4-D): extract one of them and try again.")


def _is_zipped(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


def _stream(file: Path) -> Any:
    return gzip.open(file) if _is_zipped(file) else file.open("rb")


def _fill(stored: Voxels, stream: Any) -> int:
    """Fill bytes from a stream, and count those that it had."""
    filled = 0
    while part := stream.readinto(stored.data[filled : filled + _PART]):
        filled += part
    return filled


def _too_short(path: Path, claimed: int, held: str) -> str:
    return f"{path} {_UNREADABLE}: its header claims {claimed:,} bytes, the file holds {held}; {_DAMAGED}"


def _as_volume(voxels: Voxels) -> Voxels:
    """Three axes: a frame axis of length one goes, a 2-D image gets a slice axis."""
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
    """Take over the grid from the query's header, and nothing else.

    What describes the image's values (scale, display range, meaning) doesn't hold for labels; texts and extensions stay
    behind, since scanners and exporters put patients' names there.
    """
    header_class: Any = Nifti2Header if isinstance(header, Nifti2Header) else Nifti1Header
    fresh: Nifti1Header = header_class()
    for field in _GRID_FIELDS:
        fresh[field] = header[field]
    fresh["pixdim"][:4] = header["pixdim"][:4]  # handedness and voxel size; times stay behind
    fresh.set_data_dtype(labels.dtype)
    return fresh
