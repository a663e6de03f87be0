"""Reverse scores as CSV, for command line and widget alike."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.dice import dice
from napari_revsam2.volume_files import replaced_file


def write_scores(
    path: Path,
    segmentation: NDArray[Any],
    scores: Mapping[int, NDArray[np.float64]],
    selected: Mapping[int, tuple[int, ...]],
    truth: NDArray[Any] | None = None,
    first_slice: int = 0,
) -> None:
    """Write one row for each class and query slice.

    Columns: ``label, slice, reverse_score, selected, foreground_voxels``, with truth also ``dice``: that of the final
    mask on this slice, empty where neither it nor the truth has foreground. ``reverse_score`` is empty where it isn't
    known, as in modes that don't score.

    Parameters
    ----------
    path : Path
        The file; written beside it and renamed.
    segmentation, truth : ndarray
        (M, H, W) class ids.
    scores : mapping of int to ndarray
        For each class ``pi`` per slice, (M,); nan where not known.
    selected : mapping of int to tuple of int
        For each class its conditional slices.
    first_slice : int
        Number of the first slice in the volume.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    columns = ["label", "slice", "reverse_score", "selected", "foreground_voxels"]
    if truth is not None:
        columns.append("dice")
    with replaced_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for label in scores:
            masks, true_masks = segmentation == label, None if truth is None else truth == label
            for row in _rows(masks, scores[label], selected.get(label, ()), true_masks):
                writer.writerow({"label": label, **row, "slice": row["slice"] + first_slice})


def _rows(
    masks: NDArray[np.bool_],
    scores: NDArray[np.float64],
    selected: tuple[int, ...],
    true_masks: NDArray[np.bool_] | None,
) -> Iterator[dict[str, Any]]:
    for index, score in enumerate(scores):
        mask = masks[index]
        row = {
            "slice": index,
            "reverse_score": "" if np.isnan(score) else f"{score:.6f}",
            "selected": int(index in selected),
            "foreground_voxels": int(mask.sum()),
        }
        if true_masks is not None:
            row["dice"] = f"{dice(mask, true_masks[index]):.6f}" if mask.any() or true_masks[index].any() else ""
        yield row
