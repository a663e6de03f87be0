"""Sessions and support sets as files: arrays and JSON in one ``.npz``, from which nothing is ever executed."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import replaced_file

_VERSION = 1
_LARGEST = 2**33
"""Bytes of a file's contents that are worth unpacking (8 GiB)."""


@dataclass(frozen=True, eq=False)
class SupportPair:
    """The painted slices of one support volume.

    Attributes
    ----------
    name : str
        The image layer's name.
    image, labels : ndarray
        (n, H, W) grey values and class ids.
    indices : tuple of int
        Their slice numbers in the volume.
    scale : tuple of float
        Distance between slices, rows and columns.
    units : tuple of str
        What each of the three is measured in.
    """

    name: str
    image: NDArray[Any]
    labels: NDArray[Any]
    indices: tuple[int, ...]
    scale: tuple[float, float, float]
    units: tuple[str, str, str] = ("pixel", "pixel", "pixel")


@dataclass(frozen=True, eq=False)
class Session:
    """What is needed to go on another day; the query image itself is not kept, only its name and shape.

    Attributes
    ----------
    supports : tuple of SupportPair
        Painted slices.
    query_name, query_shape : str, tuple of int
        The layer to open before.
    choices : dict
        The form's choices, plain values.
    result : ndarray or None
        The result layer's data.
    result_transforms, provenance : dict
        The result layer's transforms, and its settings, versions and scores; plain values.
    """

    supports: tuple[SupportPair, ...]
    query_name: str
    query_shape: tuple[int, ...]
    choices: dict[str, Any]
    result: NDArray[Any] | None
    result_transforms: dict[str, Any]
    provenance: dict[str, Any]


def save_session(path: Path, session: Session) -> None:
    """Write a session; the file is the old one or the whole new one.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    description = {
        "query_name": session.query_name,
        "query_shape": list(session.query_shape),
        "choices": session.choices,
        "result_transforms": session.result_transforms,
        "provenance": session.provenance,
    }
    arrays = {} if session.result is None else {"result": session.result}
    _write(path, "session", session.supports, description, arrays)


def load_session(path: Path) -> Session:
    """Read a session.

    Raises
    ------
    VolumeFileError
        When the file is missing, damaged, foreign or of a later version.
    """
    pairs, description, arrays = _read(path, "session")
    try:
        return Session(
            pairs,
            str(description["query_name"]),
            tuple(int(size) for size in description["query_shape"]),
            dict(description["choices"]),
            arrays.get("result"),
            dict(description["result_transforms"]),
            dict(description["provenance"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise VolumeFileError(_damaged(path)) from error


def save_supports(path: Path, pairs: Sequence[SupportPair]) -> None:
    """Write painted slices alone, for the next patient.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    _write(path, "supports", pairs, {}, {})


def load_supports(path: Path) -> tuple[SupportPair, ...]:
    """Read painted slices, from a file of them or from a session.

    Raises
    ------
    VolumeFileError
        When the file is missing, damaged, foreign or of a later version.
    """
    return _read(path, "supports", "session")[0]


def _write(
    path: Path,
    kind: str,
    pairs: Sequence[SupportPair],
    description: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
) -> None:
    described = [
        {"name": p.name, "indices": list(p.indices), "scale": list(p.scale), "units": list(p.units)} for p in pairs
    ]
    head = json.dumps({"napari_revsam2": kind, "version": _VERSION, "supports": described, **description})
    for number, pair in enumerate(pairs):
        arrays = {**arrays, f"image_{number}": pair.image, f"labels_{number}": pair.labels}
    with replaced_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, head=np.array(head), **arrays)  # type: ignore[arg-type]  # numpy takes names for flags


def _read(path: Path, *kinds: str) -> tuple[tuple[SupportPair, ...], dict[str, Any], dict[str, NDArray[Any]]]:
    head, arrays = _unpacked(path)
    if head.get("napari_revsam2") not in kinds:
        raise VolumeFileError(f"{path} isn't a RevSAM2 file of this kind: choose one that was saved by this menu.")
    if head.get("version") != _VERSION:
        raise VolumeFileError(f"{path} was written by a later version of napari-revsam2: update it to read this file.")
    try:
        pairs = tuple(
            _checked(
                SupportPair(
                    str(described["name"]),
                    arrays[f"image_{number}"],
                    arrays[f"labels_{number}"],
                    tuple(int(index) for index in described["indices"]),
                    tuple(float(size) for size in described["scale"]),  # type: ignore[arg-type]
                    tuple(str(unit) for unit in described["units"]),  # type: ignore[arg-type]
                )
            )
            for number, described in enumerate(head["supports"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise VolumeFileError(_damaged(path)) from error
    return pairs, head, arrays


def _unpacked(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST:
            raise VolumeFileError(f"{path} would unpack to {size / 2**30:.0f} GiB: that is no RevSAM2 file.")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays.pop("head")))
    except FileNotFoundError as error:
        raise VolumeFileError(f"{path} doesn't exist: check the name.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise VolumeFileError(_damaged(path)) from error
    if not isinstance(head, dict):
        raise VolumeFileError(_damaged(path))
    return head, arrays


def _checked(pair: SupportPair) -> SupportPair:
    """Refuse arrays that don't fit each other."""
    fits = pair.image.shape == pair.labels.shape and pair.image.ndim == 3 and len(pair.scale) == len(pair.units) == 3
    if not fits or len(pair.indices) != len(pair.image) or pair.labels.dtype.kind not in "iub":
        raise ValueError("image, labels and slice numbers differ")
    return pair


def _damaged(path: Path) -> str:
    return f"{path} can't be read as a RevSAM2 file (damaged, or something else): choose another one."
