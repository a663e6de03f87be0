"""Folders of slices: one DICOM series as an image, and the PNG labels that CHAOS puts beside it; through SimpleITK.

A slice lies where its own header says (position and orientation of the patient), so the order of the files and of
their names doesn't matter. DICOM's world axes run to the patient's left and posterior, ours to right and anterior.

CHAOS keeps the labels of ``DICOM_anon/IMG-0002-00001.dcm`` in ``Ground/IMG-0002-00001.png``, pixel on pixel.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nibabel import io_orientation

from napari_revsam2.vocabulary.errors import VolumeFileError

from .available_memory import check_memory
from .dicom_elements import claims_fit
from .volume import Affine, FileGrid, GridDetail, Volume, Voxels

CHAOS_IMAGES = "DICOM_anon"
"""The folder beside CHAOS's labels that holds the series they were drawn on."""

CHAOS_CLASSES = {63: (55, 70), 126: (110, 135), 189: (175, 200), 252: (240, 255)}
"""Grey value of each class (liver, right kidney, left kidney, spleen), and the range that CHAOS counts as it."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_STEP_TOLERANCE = 0.1
"""Part of the mean distance by which neighbouring slices may lie apart otherwise; a missing slice doubles it."""
_DICOM_ENDINGS = ("", ".dcm", ".ima")
_PACKED_SYNTAX = re.compile(rb"1\.2\.840\.10008\.1\.2\.(4|5|1\.99)")
"""Transfer syntaxes of compressed pixels: JPEG and its kin, run lengths, deflate."""
_BITS_ALLOCATED = "0028|0100"
_META_BYTES = 4096
"""Where a file tells its transfer syntax."""
_LARGEST_RATIO = 1032
"""Pixels of a whole file, with its header, for each of its bytes when it is compressed."""
_DAMAGED = "it is damaged, cut short or of another kind; copy it again."


@dataclass(frozen=True, eq=False)
class _Series:
    """Files of one series, from the first slice along its normal to the last.

    ``affine`` (4, 4) leads from (column, row, slice) to world coordinates in mm.
    """

    files: tuple[Path, ...]
    size: tuple[int, int]
    affine: Affine

    def volume(self, stack: Voxels, folder: Path) -> Volume:
        """Make a volume of slices (M, H, W)."""
        voxels = stack.transpose(2, 1, 0)
        grid = FileGrid(voxels.shape, self.affine, io_orientation(self.affine), GridDetail.WORLD)
        return Volume.from_file_axes(voxels, folder, grid)


def read_series(folder: Path) -> Volume:
    """Read the one DICOM series that a folder holds; CT comes in Hounsfield units.

    Raises
    ------
    VolumeFileError
        If SimpleITK is missing, the folder holds no series or several, a file of it can't be read, or the slices
        aren't grey, alike, parallel and evenly spaced.
    """
    series = _open_series(folder)
    return series.volume(np.stack([_read_slice(file, series.size) for file in series.files]), folder)


def read_chaos_labels(folder: Path) -> Volume:
    """Read a folder of PNG slices as CHAOS has them, on the grid of the series in ``DICOM_anon`` beside it.

    A grey value within the range of a class becomes that class (`CHAOS_CLASSES`).

    Raises
    ------
    VolumeFileError
        If there is no such series or it can't be read, the PNG files aren't one for each of its slices, by name and
        size, or a grey value belongs to no class.
    """
    files = {file.stem: file for file in _visible_files(folder) if file.suffix.lower() == ".png"}
    if not files:
        raise VolumeFileError(
            f"{folder} is a folder without PNG slices: choose a file, or a folder of labels as CHAOS has them."
        )
    images = folder.parent / CHAOS_IMAGES
    if not images.is_dir():
        raise VolumeFileError(
            f"{folder} holds PNG slices, which don't say where they lie: put their DICOM series beside it, in"
            f" {CHAOS_IMAGES}, or convert both to NIfTI."
        )
    series = _open_series(images)
    if files.keys() != {file.stem for file in series.files}:
        raise VolumeFileError(
            f"{folder} holds {len(files)} PNG slices and {images} {len(series.files)} DICOM slices, which aren't the"
            " same by name: copy both again."
        )
    slices = [_read_slice(files[file.stem], series.size) for file in series.files]
    return series.volume(_classes(np.stack(slices), folder), folder)


def _classes(grey: Voxels, folder: Path) -> Voxels:
    labels = np.zeros(grey.shape, np.uint8)
    for value, (lowest, highest) in CHAOS_CLASSES.items():
        labels[(grey >= lowest) & (grey <= highest)] = value
    foreign = np.unique(grey[(labels == 0) & (grey != 0)])
    if foreign.size:
        raise VolumeFileError(
            f"{folder} has the grey value {foreign[0]}, which is no class of CHAOS"
            f" ({', '.join(map(str, CHAOS_CLASSES))}): convert these labels to NIfTI."
        )
    return labels


def _open_series(folder: Path) -> _Series:
    """Find the files of the one series in a folder, and from their headers where they lie."""
    names = _series_files(folder)
    headers = [_read_header(name) for name in names]
    first = headers[0]
    for name, header in zip(names, headers, strict=True):
        _check_claim(name, header)
    directions = np.array([header.GetDirection() for header in headers]).reshape(-1, 3, 3)
    if any(
        header.GetSize() != first.GetSize() or header.GetSpacing()[:2] != first.GetSpacing()[:2] for header in headers
    ):
        raise VolumeFileError(f"{folder} holds slices of several sizes: keep those of one volume.")
    if not np.allclose(directions, directions[0], atol=1e-3):
        raise VolumeFileError(f"{folder} holds slices that aren't parallel: keep those of one volume.")
    if first.GetSize()[2] > 1:
        raise VolumeFileError(f"{folder} holds a DICOM file of many frames: convert it to NIfTI.")
    origins = np.array([header.GetOrigin() for header in headers])  # (M, 3)
    order = np.argsort(origins @ directions[0][:, 2])
    affine = np.eye(4)
    affine[:3, :2] = directions[0][:, :2] * first.GetSpacing()[:2]
    affine[:3, 2] = _step(origins[order], directions[0][:, 2], first.GetSpacing()[2], folder)
    affine[:3, 3] = origins[order[0]]
    columns, rows = first.GetSize()[:2]
    check_memory(folder, 2 * len(names) * rows * columns * _pixel_bytes(first))  # the slices, and the stack of them
    return _Series(tuple(names[index] for index in order), (rows, columns), _LPS_TO_RAS @ affine)


def _step(origins: Voxels, normal: Voxels, thickness: float, folder: Path) -> Voxels:
    """Vector (3,) from a slice to the next; not along the normal where a CT's gantry was tilted."""
    if len(origins) == 1:
        step: Voxels = normal * thickness
        return step
    distances = np.diff(origins @ normal)
    mean = distances.mean()
    if not mean > 0 or np.abs(distances - mean).max() > _STEP_TOLERANCE * mean:
        raise VolumeFileError(
            f"{folder} holds slices {distances.min():.3g} to {distances.max():.3g} mm apart: one is missing, or there"
            " are several volumes; keep those of one, or convert it to NIfTI."
        )
    mean_step: Voxels = (origins[-1] - origins[0]) / (len(origins) - 1)
    return mean_step


def _series_files(folder: Path) -> tuple[Path, ...]:
    itk = _simple_itk(folder)
    for file in _visible_files(folder):
        if not claims_fit(file):
            raise VolumeFileError(_unreadable(file))
    series_reader = itk.ImageSeriesReader
    try:
        with _no_warnings(itk):
            identifiers = series_reader.GetGDCMSeriesIDs(str(folder))
    except RuntimeError as error:  # of some damaged files GDCM doesn't say which
        raise VolumeFileError(f"{folder} holds a damaged DICOM file: copy the series again.") from error
    if not identifiers:
        raise VolumeFileError(f"{folder} is a folder without a DICOM series: use a file, or a folder that holds one.")
    if len(identifiers) > 1:
        raise VolumeFileError(f"{folder} holds {len(identifiers)} DICOM series: put one of them into its own folder.")
    files = tuple(Path(name) for name in series_reader.GetGDCMSeriesFileNames(str(folder), identifiers[0]))
    # What GDCM can't read it leaves out without a word.
    names = {file.name for file in files} | {"DICOMDIR"}
    for file in _visible_files(folder):
        if file.suffix.lower() in _DICOM_ENDINGS and file.name not in names:
            raise VolumeFileError(_unreadable(file))
    return files


@contextmanager
def _no_warnings(itk: Any) -> Iterator[None]:
    """Silence SimpleITK: what is wrong with a folder becomes one sentence of ours."""
    warns = itk.ProcessObject.GetGlobalWarningDisplay()
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        itk.ProcessObject.SetGlobalWarningDisplay(warns)


def _visible_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]


def _unreadable(file: Path) -> str:
    return f"{file} can't be read as a slice of its series: {_DAMAGED}"


def _read_header(file: Path) -> Any:
    reader = _simple_itk(file).ImageFileReader()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeFileError(_unreadable(file)) from error
    return reader


def _check_claim(file: Path, header: Any) -> None:
    """Refuse a slice whose header claims more pixels than the file can hold: GDCM would make them up."""
    try:
        claimed = math.prod(header.GetSize()) * int(header.GetMetaData(_BITS_ALLOCATED)) // 8
    except (RuntimeError, ValueError) as error:
        raise VolumeFileError(_unreadable(file)) from error
    with file.open("rb") as stream:
        packed = _PACKED_SYNTAX.search(stream.read(_META_BYTES))
    held = file.stat().st_size * (_LARGEST_RATIO if packed else 1)
    if claimed > held:
        raise VolumeFileError(f"{file} claims {claimed:,} bytes of pixels and holds at most {held:,}: {_DAMAGED}")


def _pixel_bytes(header: Any) -> int:
    """Bytes of a pixel as it is read, from a name such as ``16-bit signed integer``."""
    name = _simple_itk(Path()).GetPixelIDValueAsString(header.GetPixelID())
    return int(name.removeprefix("vector of ").split("-")[0]) // 8


def _read_slice(file: Path, size: tuple[int, int]) -> Voxels:
    """Read grey values (H, W) of a DICOM or PNG file."""
    header = _read_header(file)
    if header.GetNumberOfComponents() > 1:
        raise VolumeFileError(f"{file} is a colour image (RGB): convert it to grey values and try again.")
    if header.GetSize()[:2] != size[::-1] or math.prod(header.GetSize()[2:]) != 1:
        raise VolumeFileError(f"{file} isn't of the size of its series ({size[1]} x {size[0]}): copy it again.")
    try:
        pixels: Voxels = _simple_itk(file).GetArrayFromImage(header.Execute())
    except RuntimeError as error:
        raise VolumeFileError(_unreadable(file)) from error
    return pixels.reshape(size)


def _simple_itk(path: Path) -> Any:
    try:
        import SimpleITK  # loaded only for those who have such folders
    except ImportError as error:
        raise VolumeFileError(
            f"{path} is a folder of slices, which SimpleITK reads: pip install 'napari-revsam2[evaluation]'."
        ) from error
    return SimpleITK
