"""Label volumes to files: the whole file or nothing, on the grid of the image that was segmented."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from napari_revsam2.vocabulary.errors import VolumeFileError

from .nifti import WRITTEN_ENDINGS, write_nifti
from .tiff import ENDINGS, write_tiff
from .volume import Volume, Voxels

_Writer = Callable[[Path, Voxels, Volume], None]
_HIDDEN = ".napari-revsam2-"
"""How the name of a file begins that is being written."""
_DAY = 24 * 60 * 60
LARGEST_LABEL = 2**16 - 1
"""Ids are written as uint8 or uint16."""
_WRITERS: dict[str, _Writer] = {
    **dict.fromkeys(WRITTEN_ENDINGS, write_nifti),
    **dict.fromkeys(ENDINGS, write_tiff),
}


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse an output file that couldn't be written later, without creating it: for use before a long run.

    Parameters
    ----------
    path
        The file that :func:`write_labels` is to write.

    Raises
    ------
    VolumeFileError
        If the ending isn't .nii, .nii.gz, .tif or .tiff, the folder doesn't exist or can't be written, or there is a
        folder of that name.
    """
    _ending(Path(path))
    check_folder(path)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Refuse an output file of any kind whose place doesn't take it, without creating it.

    Raises
    ------
    VolumeFileError
        If the folder doesn't exist or can't be written, or there is a folder, a device or a pipe of that name.
    """
    path = Path(path)
    target = _target(path)
    try:
        if target.is_dir():
            raise VolumeFileError(f"{path} is a folder: choose a file in it.")
        if target.is_symlink():
            raise VolumeFileError(f"{path} is a symbolic link that leads to itself: choose another name.")
        if target.exists() and not target.is_file():
            raise VolumeFileError(f"{path} isn't a regular file and would be replaced by one: choose another name.")
        if not target.parent.is_dir():
            raise VolumeFileError(f"{path} can't be written, its folder doesn't exist: create {target.parent} first.")
        # Only trying shows it: permissions don't reveal a read-only disk, nor what Windows allows.
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise VolumeFileError(_not_written(path, error)) from error


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a hidden name beside ``path`` to write to; it takes the place of ``path`` when the block ends well.

    A file that is replaced keeps its mode (who may read it); a new one has the mode that the umask leaves.

    Raises
    ------
    VolumeFileError
        If the file can't be written, or the disk is full; ``path`` is then as it was.
    """
    path = Path(path)
    ending = ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()
    path = _target(path)  # the link stays, and the file that it leads to is replaced
    temporary = path.with_name(f"{_HIDDEN}{secrets.token_hex(8)}{ending}")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        if mode is not None:
            temporary.touch(stat.S_IRUSR | stat.S_IWUSR)  # what is written is nobody else's meanwhile
        yield temporary
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise VolumeFileError(_not_written(path, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
            _sweep(path.parent)


def write_labels(path: str | os.PathLike[str], labels_canonical: Voxels, like: Volume) -> None:
    """Write a label volume on the own grid of the image it belongs to.

    NIfTI from NIfTI keeps shape, orientation, affine, spacing, units, and sform and qform with their codes. TIFF (an
    ImageJ stack) keeps spacing and unit. No text of the image's header is taken over, since it may name a patient.
    From one format to the other the canonical orientation and the spacing in mm are kept. The file is written under a
    hidden name beside ``path`` and renamed, so that ``path`` is always the old file or the whole new one.

    Parameters
    ----------
    path
        The file; its ending (.nii, .nii.gz, .tif, .tiff) is its format.
    labels_canonical
        (X, Y, Z) integers from 0 to 65535 in the orientation of ``like.data``; stored as uint8 if they fit, else
        uint16.
    like
        The volume that was segmented.

    Raises
    ------
    VolumeFileError
        If the file can't be written (see :func:`check_writable`), the disk is full, or a label is above 65535.
    ValueError
        If ``labels_canonical`` isn't of the shape of ``like.data`` or not of unsigned whole numbers.
    """
    path = Path(path)
    stored = _stored(labels_canonical, like, path)
    check_writable(path)
    with replaced_file(path) as temporary:
        _WRITERS[_ending(path)](temporary, stored, like)


def _sweep(folder: Path) -> None:
    """Remove hidden files of writers that were killed, unless they are so young that they may still be somebody's."""
    for left in folder.glob(_HIDDEN + 16 * "[0-9a-f]" + "*"):
        if time.time() - left.stat().st_mtime > _DAY:
            left.unlink()


def _target(path: Path) -> Path:
    """Follow a symbolic link, also one that leads to no file yet."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114 - takes any name


def _ending(path: Path) -> str:
    for ending in _WRITERS:
        if path.name.lower().endswith(ending) and len(path.name) > len(ending):
            return ending
    raise VolumeFileError(f"{path} can't be written: use one of the endings {', '.join(_WRITERS)}.")


def _stored(labels: Voxels, like: Volume, path: Path) -> Voxels:
    """Shrink labels to uint8 or uint16."""
    if labels.shape != like.data.shape:
        raise ValueError(f"labels of shape {labels.shape} for a volume of shape {like.data.shape}")
    if not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == bool) or labels.min() < 0:
        raise ValueError(f"labels must be whole numbers from 0, not {labels.dtype} from {labels.min()}")
    if labels.max() > LARGEST_LABEL:
        raise VolumeFileError(f"{path} can't hold label {labels.max()}: number the classes up to {LARGEST_LABEL}.")
    return labels.astype(np.min_scalar_type(int(labels.max())))


def _not_written(path: Path, error: OSError) -> str:
    return f"{path} can't be written ({error.strerror or error}): free the folder or choose another one."
