"""Sessions and support sets as files: arrays and JSON in one ``.npz``, from which nothing is ever executed."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import replaced_file

from .session_data import (
    SESSION_VERSION,
    UNSAVABLE,
    DescribedSupport,
    FileStamp,
    Session,
    SessionHead,
    SupportPair,
    SupportsHead,
)

ReadT = TypeVar("ReadT")

_LARGEST = 2**33
"""Bytes of a file's contents that are worth unpacking (8 GiB)."""
_MOST_COMPRESSED = 1032
"""How much smaller zlib makes anything at best."""
_HEAD = "head"


def save_session(path: Path, session: Session) -> None:
    """Write a session; the file is the old one or the whole new one.

    Raises
    ------
    VolumeFileError
        When the file can't be written, or a value can't be kept.
    """
    head = SessionHead(supports=_described(session.supports), form=session.form, run=session.run)
    arrays = {} if session.result is None else {"result": session.result}
    _write(path, head, {**_voxels(session.supports), **arrays})


def load_session(path: Path) -> Session:
    """Read a session.

    Raises
    ------
    VolumeFileError
        When the file is missing, damaged, foreign or of another version.
    """
    return _read(path, _session)


def save_supports(path: Path, pairs: Sequence[SupportPair]) -> None:
    """Write painted slices alone, for the next patient.

    Raises
    ------
    VolumeFileError
        When the file can't be written, or a value can't be kept.
    """
    _write(path, SupportsHead(supports=_described(pairs)), _voxels(pairs))


def load_supports(path: Path) -> tuple[SupportPair, ...]:
    """Read painted slices, from a file of them or from a session of any version.

    Raises
    ------
    VolumeFileError
        When the file is missing, damaged, foreign or of a later version.
    """
    return _read(path, _supports)


def _described(pairs: Sequence[SupportPair]) -> tuple[DescribedSupport, ...]:
    try:
        return tuple(
            DescribedSupport(name=pair.name, indices=pair.indices, scale=pair.scale, units=pair.units) for pair in pairs
        )
    except ValidationError:
        raise VolumeFileError(UNSAVABLE) from None


def _voxels(pairs: Sequence[SupportPair]) -> dict[str, NDArray[Any]]:
    images = {f"image_{number}": pair.image for number, pair in enumerate(pairs)}
    return {**images, **{f"labels_{number}": pair.labels for number, pair in enumerate(pairs)}}


def _write(path: Path, head: BaseModel, arrays: dict[str, NDArray[Any]]) -> None:
    with replaced_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{_HEAD: np.array(head.model_dump_json()), **arrays})  # type: ignore[arg-type]


def _read(path: Path, build: Callable[[Path, zipfile.ZipFile], ReadT]) -> ReadT:
    try:
        with zipfile.ZipFile(path) as archive:
            return build(path, archive)
    except VolumeFileError:
        raise
    except FileNotFoundError as error:
        raise VolumeFileError(f"{path} doesn't exist: check the name.") from error
    except Exception as error:  # of a damaged file, zipfile, NumPy and pydantic make a dozen kinds of errors
        raise VolumeFileError(
            f"{path} can't be read as a RevSAM2 file (damaged, or something else): choose another one."
        ) from error


def _session(path: Path, archive: zipfile.ZipFile) -> Session:
    text, stamp = _head(path, archive)
    if stamp.napari_revsam2 != "session":
        raise VolumeFileError(f"{path} holds painted slices and isn't a session: choose 'Load painted slices'.")
    if stamp.version < SESSION_VERSION:
        raise VolumeFileError(
            f"{path} is a session of an earlier version, which didn't keep what its result was computed from: choose "
            "'Load painted slices' to load its supports, and run again."
        )
    head = SessionHead.model_validate_json(text)
    result = _array(archive, "result") if head.run is not None else None
    return Session(_pairs(archive, head.supports), head.form, head.run, result)


def _supports(path: Path, archive: zipfile.ZipFile) -> tuple[SupportPair, ...]:
    text, _ = _head(path, archive)
    return _pairs(archive, SupportsHead.model_validate_json(text).supports)


def _head(path: Path, archive: zipfile.ZipFile) -> tuple[str, FileStamp]:
    size = sum(entry.file_size for entry in archive.infolist())
    if size > min(_LARGEST, path.stat().st_size * _MOST_COMPRESSED):
        raise VolumeFileError(f"{path} would unpack to {size / 2**30:.0f} GiB: that is no RevSAM2 file.")
    text = str(_array(archive, _HEAD))
    stamp = FileStamp.model_validate_json(text)
    if stamp.version > SESSION_VERSION:
        raise VolumeFileError(f"{path} was saved by a later version of napari-revsam2: update it to read this file.")
    return text, stamp


def _pairs(archive: zipfile.ZipFile, described: Sequence[DescribedSupport]) -> tuple[SupportPair, ...]:
    return tuple(
        SupportPair(
            support.name,
            _array(archive, f"image_{number}"),
            _array(archive, f"labels_{number}"),
            support.indices,
            support.scale,
            support.units,
        )
        for number, support in enumerate(described)
    )


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read an array, after its size has been checked and before memory is asked for."""
    entry = archive.getinfo(f"{name}.npy")
    with archive.open(entry) as file:
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, _, dtype = read_header[npy.read_magic(file)](file)
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
            raise ValueError(f"{name}: another size than its header promises")
        file.seek(0)
        return np.asarray(npy.read_array(file, allow_pickle=False))
