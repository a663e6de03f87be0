r"""TIFF files, through tifffile.

A TIFF says nothing of the patient, so this is assumed: pages are axial slices from inferior to superior, rows run
downwards from anterior to posterior, columns from the patient's right to the left. A page then looks on the screen as
the same slice of ``Volume.slices(Axis.AXIAL)`` does.

The spacing comes from ImageJ's metadata (``spacing``, resolution, unit) or OME's (``PhysicalSizeX`` and so on), in mm.
A number without a known unit counts as mm; a length that isn't there counts as 1.0, so that a TIFF without any has
voxels of 1.0 mm. Plain resolution tags (dpi) are for printers and are left aside.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from nibabel.orientations import axcodes2ornt

from napari_revsam2.vocabulary.errors import VolumeFileError

from .length_unit import length_unit, millimetres
from .tiff_claims import check_directories, check_planes, check_series, damaged
from .volume import FileGrid, GridDetail, Volume, Voxels, reoriented

ENDINGS = (".tif", ".tiff")

_ORIENTATION = axcodes2ornt("SPL")
_RESOLUTION_UNITS = {2: "inch", 3: "cm"}
_STRAIGHT_LINE = 0


@dataclass(frozen=True)
class TiffSpacing:
    """Voxel size as the file tells it: lengths along x, y, z in ``unit``, which is empty for none."""

    lengths: tuple[float, float, float]
    unit: str

    @property
    def millimetres(self) -> tuple[float, float, float]:
        """The same in mm; no unit counts as mm."""
        x, y, z = (length * millimetres(self.unit) for length in self.lengths)
        return x, y, z


_UNTOLD = TiffSpacing((1.0, 1.0, 1.0), "")


@dataclass(frozen=True, eq=False)
class TiffGrid(FileGrid):
    """A file's grid with the unit in which it gives its spacing (empty for none)."""

    unit: str


def read_tiff(path: Path) -> Volume:
    """Read a volume from a .tif or .tiff file; see the module for orientation and spacing.

    The voxels keep their type, unless ImageJ's linear calibration of grey values applies: then they become float64. A
    single page is a volume of one slice.

    Raises
    ------
    VolumeFileError
        If the file is damaged or foreign, or holds colours, several frames, channels or images.
    """
    try:
        check_directories(path)
        with _logged_errors() as errors, tifffile.TiffFile(path) as tif:
            pages, spacing = _read_pages(tif, path), _read_spacing(tif)
        if errors:
            raise EOFError(errors[0])
    except VolumeFileError:
        raise
    except MemoryError as error:
        raise VolumeFileError(f"{path} needs more memory than is available: crop it, or export it again.") from error
    except Exception as error:  # tifffile lets out what struct, zlib, xml and numpy raise
        raise VolumeFileError(_unreadable(path, error)) from error
    return Volume.from_file_axes(pages, path, _grid(pages.shape, spacing))


def write_tiff(path: Path, labels: Voxels, like: Volume) -> None:
    """Write labels (X, Y, Z, canonical, uint8 or uint16) as an ImageJ stack of axial slices.

    The spacing is that of ``like``, and so is the unit if ``like`` came from a TIFF (none stays none), else mm.
    """
    unit = like.grid.unit if isinstance(like.grid, TiffGrid) else "mm"
    x, y, z = (length / millimetres(unit) for length in like.spacing)
    metadata: dict[str, Any] = {"axes": "ZYX", "spacing": z}
    if unit:
        metadata["unit"] = unit
    pages = np.ascontiguousarray(reoriented(labels, _ORIENTATION))
    tifffile.imwrite(path, pages, imagej=True, resolution=(1 / x, 1 / y), metadata=metadata)


@contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """Collect what tifffile logs as an error in this thread: of a file cut short it reads what is left, and logs.

    A program that has switched this log off (as `logging.config` does by default) mustn't get half a volume for that.
    """
    errors: list[str] = []
    thread = threading.get_ident()

    class Collector(logging.Handler):
        """Keep what this thread logs."""

        def emit(self, record: logging.LogRecord) -> None:
            """Keep the text of an error."""
            if record.thread == thread and record.levelno >= logging.ERROR:
                errors.append(record.getMessage())

    collector, logger = Collector(), logging.getLogger("tifffile")
    before = logger.disabled, logger.level, logging.root.manager.disable
    logger.disabled = False
    logger.setLevel(logging.ERROR)
    logging.disable(logging.NOTSET)
    logger.addHandler(collector)
    try:
        yield errors
    finally:
        logger.removeHandler(collector)
        logger.disabled = before[0]
        logger.setLevel(before[1])
        logging.disable(before[2])


def _read_pages(tif: tifffile.TiffFile, path: Path) -> Voxels:
    """Pages (Z, Y, X) in grey values."""
    check_planes(tif, path)
    if len(tif.series) > 1:
        raise VolumeFileError(f"{path} holds {len(tif.series)} separate images: save them as one stack of slices.")
    series, imagej = tif.series[0], tif.imagej_metadata or {}
    _check_axes(series, imagej, path)
    if any(page is None for page in series.pages):
        raise EOFError("pages are missing and would be read as zeros")
    check_series(series, path, calibrated=_is_calibrated(imagej))
    pages_rows_columns = sorted(range(len(series.axes)), key=lambda axis: "YX".find(series.axes[axis]))
    pages = series.asarray().transpose(pages_rows_columns)
    return _calibrated(pages.reshape(-1, *pages.shape[-2:]), imagej)


def _check_axes(series: tifffile.TiffPageSeries, imagej: dict[str, Any], path: Path) -> None:
    """Refuse all but one axis of pages.

    OME names its axes, so time and channels are what they say. In ImageJ files a lone axis of pages is often called
    time or channels and yet holds slices (tifffile writes it so), unless the file is shown in colours.
    """
    stacked = [
        (axis, size) for axis, size in zip(series.axes, series.shape, strict=True) if size > 1 and axis not in "YX"
    ]
    axes = "".join(axis for axis, _ in stacked)
    if "S" in axes or ("C" in axes and imagej.get("mode") in ("composite", "color")):
        raise VolumeFileError(f"{path} is a colour image (RGB): convert it to grey values and try again.")
    if len(axes) > 1 or (series.kind.lower() == "ome" and axes not in ("", "Z")):
        sizes = ", ".join(f"{axis} {size}" for axis, size in stacked)
        raise VolumeFileError(
            f"{path} holds more than one stack of slices ({sizes}): save one time point and channel and try again."
        )


def _calibrated(pages: Voxels, imagej: dict[str, Any]) -> Voxels:
    """Grey values as ImageJ shows them: it keeps signed CT as unsigned numbers with an offset in the metadata."""
    if not _is_calibrated(imagej):
        return pages
    return float(imagej["c0"]) + float(imagej["c1"]) * pages.astype(np.float64)


def _is_calibrated(imagej: dict[str, Any]) -> bool:
    return imagej.get("cf") == _STRAIGHT_LINE and "c0" in imagej and "c1" in imagej


def _read_spacing(tif: tifffile.TiffFile) -> TiffSpacing:
    if tif.imagej_metadata:
        return _imagej_spacing(tif, tif.imagej_metadata)
    return _ome_spacing(tif.ome_metadata) if tif.ome_metadata else _UNTOLD


def _imagej_spacing(tif: tifffile.TiffFile, imagej: dict[str, Any]) -> TiffSpacing:
    tags = tif.pages.first.tags
    told = imagej.get("unit") or _RESOLUTION_UNITS.get(tags.valueof("ResolutionUnit"), "")
    unit = length_unit(told)
    lengths = []
    for tag in ("XResolution", "YResolution"):
        voxels, units = tags.valueof(tag, default=(1, 1))
        lengths.append(_length(units / voxels if voxels else 1.0))
    return TiffSpacing((lengths[0], lengths[1], _length(imagej.get("spacing"))), unit)


def _ome_spacing(xml: str) -> TiffSpacing:
    """Lengths of the first image, all in the unit of x; OME's unit is the micron where it names none."""
    pixels = ElementTree.fromstring(xml).find(".//{*}Pixels")
    sizes = {} if pixels is None else pixels.attrib
    if not any(f"PhysicalSize{axis}" in sizes for axis in "XYZ"):
        return _UNTOLD
    units = [length_unit(sizes.get(f"PhysicalSize{axis}Unit", "micron")) for axis in "XYZ"]
    x, y, z = (
        _length(sizes.get(f"PhysicalSize{axis}")) * millimetres(unit) / millimetres(units[0])
        for axis, unit in zip("XYZ", units, strict=True)
    )
    return TiffSpacing((x, y, z), units[0])


def _length(value: Any) -> float:
    """Read a voxel size; 1.0 for what can't be one."""
    try:
        length = abs(float(value))
    except (TypeError, ValueError):
        return 1.0
    return length if 0 < length < math.inf else 1.0


def _grid(shape: tuple[int, ...], spacing: TiffSpacing) -> TiffGrid:
    """Place pages (Z, Y, X) so that the canonical voxel (0, 0, 0) is the origin of the world."""
    x, y, z = spacing.millimetres
    _, rows, columns = shape
    affine = np.array([[0, 0, -x, x * (columns - 1)], [0, -y, 0, y * (rows - 1)], [z, 0, 0, 0], [0, 0, 0, 1]])
    detail = GridDetail.SHAPE if spacing == _UNTOLD else GridDetail.SPACING
    return TiffGrid(shape, affine, _ORIENTATION, detail, spacing.unit)


def _unreadable(path: Path, error: Exception) -> str:
    if "imagecodecs" in str(error):
        return f"{path} is compressed in a way that isn't supported: save it without compression and try again."
    return damaged(path)
