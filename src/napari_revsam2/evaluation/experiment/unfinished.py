"""What an interruption or a bad disk has left unfinished in the folder of an evaluation."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from napari_revsam2.settings.config import Mode
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import read_labels

from .result_rows import Case, ResultRow, SliceRow
from .results_folder import mask_path
from .row_file import RESULTS_FILE, SLICES_FILE, RowFile


def drop_unfinished(folder: Path, planned: Collection[Case]) -> None:
    """Drop the rows of cases of which something else was lost, so that all of it is computed again.

    A case is whole when its rows, the slices that go with its rows of mode ``revsam2``, and its mask are. A mask or the
    whole file of slices that somebody has deleted isn't missed.

    Parameters
    ----------
    folder : Path
        Where the results are.
    planned : collection of Case
        Cases that will be computed again; the rows of others stay.

    Raises
    ------
    VolumeFileError
        When the rows can't be read or written.
    """
    results = RowFile(folder / RESULTS_FILE, ResultRow)
    slices = RowFile(folder / SLICES_FILE, SliceRow)
    scored = [row for row in results.read() if row.mode == Mode.REVSAM2.value]
    there = {(item.case, item.n_support) for item in slices.read()}
    spoiled = {
        row.case
        for row in scored
        if row.case in planned
        and ((slices.path.exists() and (row.case, row.n_support) not in there) or _is_damaged(mask_path(folder, row)))
    }
    results.keep(lambda row: row.case not in spoiled)
    left = {(row.case, row.n_support) for row in scored if row.case not in spoiled}
    slices.keep(lambda item: (item.case, item.n_support) in left)


def _is_damaged(mask: Path) -> bool:
    if not mask.exists():
        return False
    try:
        read_labels(mask)
    except VolumeFileError:
        return True
    return False
