"""The folder of an evaluation: settings that bind it, rows, masks, and a lock that keeps other processes out."""

from __future__ import annotations

import hashlib
import json
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from napari_revsam2.volume_files import from_slices, read_image, replaced_file, write_labels

from .job import JobResult
from .result_rows import ResultRow, SliceRow
from .row_file import RESULTS_FILE, SLICES_FILE, RowFile

SETTINGS_FILE = "settings.json"
LOCK_FILE = ".lock"
MASKS_FOLDER = "masks"
_SETTINGS = TypeAdapter(dict[str, str | int | float | bool | None], config={"strict": True})


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Create the folder, and keep other processes from writing into it meanwhile.

    Raises
    ------
    ProblemError
        When another process writes there.
    VolumeFileError
        When the folder can't be written.
    """
    _create(folder)
    lock = FileLock(folder / LOCK_FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ProblemError(f"Another evaluation writes into {folder}: wait for it, or use another folder.") from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> VolumeFileError:
    return VolumeFileError(f"{folder} can't be written ({error.strerror or error}): free it, or choose another folder.")


def mask_path(folder: Path, row: ResultRow) -> Path:
    """Say where the mask of a row of mode ``revsam2`` is kept; there is one for `Protocol.usual` alone."""
    pair = _file_name(f"{row.dataset}_from_{row.support_dataset}")
    setting = f"class{row.label}_group{row.group}_N{row.n_support}_k{row.top_k}"
    return folder / MASKS_FOLDER / pair / f"{_file_name(row.volume)}_{setting}.nii.gz"


def _file_name(name: str) -> str:
    """Write a name so that any disk takes it; a hash keeps apart those that would become one."""
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:100]
    if plain == name:
        return name
    return f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def write_result(result: JobResult, folder: Path) -> None:
    """Write mask, slices and rows of a job; the rows last, as a job with rows is finished.

    Raises
    ------
    VolumeFileError
        When a file can't be written, or the query not be read.
    """
    if result.mask is not None:
        kept = result.job.kept
        (row,) = (r for r in result.rows if (r.mode, r.n_support, r.top_k) == (kept.mode, kept.n_support, kept.top_k))
        path = mask_path(folder, row)
        _create(path.parent)
        segmentation = result.mask.astype("uint32") * result.job.label
        write_labels(path, from_slices(segmentation, result.job.axis), like=read_image(result.job.query.image))
    RowFile(folder / SLICES_FILE, SliceRow).append(result.slices)
    RowFile(folder / RESULTS_FILE, ResultRow).append(result.rows)


def known_settings(folder: Path) -> dict[str, Any]:
    """Read the settings of the results in a folder; empty where there are no results, or no such file.

    Raises
    ------
    VolumeFileError
        When the settings can't be read.
    """
    path = folder / SETTINGS_FILE
    begun = any((folder / name).exists() for name in (RESULTS_FILE, SLICES_FILE))
    if not (begun and path.exists()):
        return {}
    try:
        return _SETTINGS.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _not_settings(path, "can't be read as the settings of these results") from error


def check_settings(settings: Mapping[str, Any], needed: Collection[str], folder: Path) -> None:
    """Refuse to mix results of different settings; those of a run that left no row don't count.

    Parameters
    ----------
    settings : mapping of str to value
        What the numbers to come depend on.
    needed : collection of str
        Names of those that the numbers in the folder depend on.
    folder : Path
        Where the results are.

    Raises
    ------
    ProblemError
        When the folder holds results of other settings.
    VolumeFileError
        When the settings there can't be read, or don't say what they were.
    """
    known = known_settings(folder)
    if differing := [name for name in settings if name in known and settings[name] != known[name]]:
        more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
        was = f"{differing[0]} {_shown(known[differing[0]])}{more}"
        raise ProblemError(f"{folder} holds results of other settings ({was}): use those, or choose another folder.")
    path = folder / SETTINGS_FILE
    if path.exists() and (missing := [name for name in needed if name not in known]):
        raise _not_settings(path, f"doesn't say all settings of the results beside it ({missing[0]} is missing)")


def keep_settings(settings: Mapping[str, Any], folder: Path) -> None:
    """Write settings beside those that results there have been computed with.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    text = json.dumps({**known_settings(folder), **settings}, indent=1)
    with replaced_file(folder / SETTINGS_FILE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _not_settings(path: Path, fault: str) -> VolumeFileError:
    return VolumeFileError(
        f"{path} {fault}: choose another folder, or delete the file if you know that the settings are the same."
    )


def _shown(value: Any) -> str:
    """Write a setting from a file on one line, however long it is there."""
    text = str(value)
    return text if text.isprintable() and len(text) < 100 else reprlib.repr(value)
