"""What a TIFF file claims, held against what it holds before tifffile takes memory for it."""

from __future__ import annotations

import lzma
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import tifffile

from napari_revsam2.vocabulary.errors import VolumeFileError

from .available_memory import check_memory

_HEADER_BYTES = 16
_SUB_DIRECTORIES = 330
"""The tag whose values are the places of other directories."""
_SHARED_BYTES = 2**20
"""What directories may tell in all beyond the size of the file, since some share their values."""
_LARGEST_PLANES = 2**20
_FLOAT_COPIES_BYTES = 16
"""For each voxel that is calibrated: it is converted, and multiplied."""

_UNCOMPRESSED, _DEFLATE, _OLD_DEFLATE, _LZMA, _PACKBITS = 1, 8, 32946, 34925, 32773
_LARGEST_RATIOS = {_UNCOMPRESSED: 1, _PACKBITS: 64, _DEFLATE: 1032, _OLD_DEFLATE: 1032}
_LARGEST_OTHER_RATIO = 2**14
_DECOMPRESSORS: dict[int, Callable[[], Any]] = {
    _DEFLATE: zlib.decompressobj,
    _OLD_DEFLATE: zlib.decompressobj,
    _LZMA: partial(lzma.LZMADecompressor, memlimit=2**28),
}
"""Those that tifffile runs without a bound, each until the end of its data."""


@dataclass(frozen=True)
class _Form:
    """Sizes and byte order of a file's directories, as formats of `struct`; ``first`` is the place of the first one."""

    number: str
    entry: str
    offset: str
    first: int


def check_directories(path: Path) -> None:
    """Refuse directories (one a page) that run in a circle, or tell more than the file is large.

    A file that can't be read as far as this is left to tifffile to refuse.

    Raises
    ------
    VolumeFileError
        If they do.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        form = _form(file.read(_HEADER_BYTES))
        waiting, seen, told = [form.first] if form else [], set(), 0
        while form and waiting:
            place = waiting.pop()
            if not 0 < place < size:
                continue
            if place in seen:
                raise VolumeFileError(damaged(path, "its pages run in a circle"))
            seen.add(place)
            try:
                entries, following = _read_directory(file, form, place)
            except struct.error:
                continue
            told += sum(struct.calcsize(form.entry) + count for _, _, count, _ in entries)
            if told > size + _SHARED_BYTES:
                raise VolumeFileError(damaged(path, f"its pages claim {told:,} values, the file holds {size:,} bytes"))
            waiting += [following, *_sub_directories(file, form, entries)]


def check_planes(tif: tifffile.TiffFile, path: Path) -> None:
    """Refuse OME metadata with more planes than any volume has, as tifffile makes a list of them.

    Raises
    ------
    VolumeFileError
        If it claims them.
    """
    if not tif.ome_metadata:
        return
    for element in ElementTree.fromstring(tif.ome_metadata).iter():
        numbers = [int(element.get(name, 0)) for name in ("PlaneCount", "IFD", "FirstZ", "FirstC", "FirstT")]
        voxels = math.prod(int(element.get(f"Size{axis}", 1)) for axis in "XYZCT")
        claimed = max(*numbers, voxels // max(tif.pages.first.size, 1))
        if claimed > _LARGEST_PLANES:
            raise VolumeFileError(damaged(path, f"its metadata claims {claimed:,} planes"))


def check_series(series: tifffile.TiffPageSeries, path: Path, calibrated: bool) -> None:
    """Refuse a stack that is larger than its files can hold, or than memory, or that unpacks to more than it claims.

    Raises
    ------
    VolumeFileError
        If it is.
    EOFError
        If parts of pages are missing.
    """
    keyframe: Any = series.keyframe
    bits = keyframe.bitspersample if isinstance(keyframe.bitspersample, int) else 1  # several for packed colours
    pages: list[Any] = list(series.pages)
    page_size = math.prod(keyframe.chunked + keyframe.chunks) if keyframe.is_tiled else keyframe.size
    claimed = series.size // max(keyframe.size, 1) * page_size * bits // 8
    files = {page.parent.filehandle.path: page.parent.filehandle.size for page in pages}
    held = sum(files.values()) * _LARGEST_RATIOS.get(keyframe.compression, _LARGEST_OTHER_RATIO)
    if claimed > held:
        raise VolumeFileError(damaged(path, f"its pages claim {claimed:,} bytes, the file holds at most {held:,}"))
    check_memory(path, series.nbytes + calibrated * series.size * _FLOAT_COPIES_BYTES)
    if not keyframe.is_contiguous:
        for page in pages:
            _check_segments(page, path)


def damaged(path: Path, reason: str = "it is damaged, cut short or of another kind") -> str:
    """Say that a file can't be read, and why."""
    return f"{path} can't be read as a TIFF image: {reason}; copy or export it again."


def _form(header: bytes) -> _Form | None:
    """Find the formats of a classic TIFF or a BigTIFF; None for another file."""
    order = {b"II": "<", b"MM": ">"}.get(header[:2])
    if order is None or len(header) < _HEADER_BYTES:
        return None
    version, classic = struct.unpack_from(f"{order}HI", header, 2)
    if version == 43:
        return _Form(f"{order}Q", f"{order}HHQ8s", f"{order}Q", struct.unpack_from(f"{order}Q", header, 8)[0])
    return _Form(f"{order}H", f"{order}HHI4s", f"{order}I", classic) if version == 42 else None


def _read_directory(file: BinaryIO, form: _Form, place: int) -> tuple[list[tuple[int, int, int, bytes]], int]:
    """Read tag, type, number of values and their place for each entry, and where the next directory is."""
    file.seek(place)
    (number,) = struct.unpack(form.number, file.read(struct.calcsize(form.number)))
    block = file.read(number * struct.calcsize(form.entry)) if number < 2**16 else b""
    entries = list(struct.iter_unpack(form.entry, block))
    (following,) = struct.unpack(form.offset, file.read(struct.calcsize(form.offset)))
    return entries, following


def _sub_directories(file: BinaryIO, form: _Form, entries: list[tuple[int, int, int, bytes]]) -> Iterator[int]:
    for tag, _, count, value in entries:
        if tag != _SUB_DIRECTORIES:
            continue
        step = len(value)
        if count > 1:
            file.seek(struct.unpack(form.offset, value)[0])
            value = file.read(count * step)
        yield from (place for (place,) in struct.iter_unpack(form.offset, value[: len(value) // step * step]))


def _check_segments(page: Any, path: Path) -> None:
    """Refuse a page with strips or tiles that are missing, or that unpack to more than their size."""
    if math.prod(page.chunked) > min(len(page.dataoffsets), len(page.databytecounts)):
        raise EOFError("strips are missing and would be read as zeros")
    decompressor = _DECOMPRESSORS.get(page.keyframe.compression)
    largest = math.prod(page.chunks) * page.keyframe.dtype.itemsize
    for packed, _ in page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts):
        if packed is None:
            raise EOFError("strips are missing and would be read as zeros")
        if decompressor is None:
            continue
        unpacking = decompressor()
        if len(unpacking.decompress(packed, largest + 1)) > largest or unpacking.unused_data.strip(b"\0"):
            raise VolumeFileError(damaged(path, f"a part of it unpacks to more than the {largest:,} bytes it claims"))
