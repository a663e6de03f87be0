"""Rows of an evaluation that never took place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_revsam2.evaluation.experiment.results import ResultRow, SliceRow

NAN = float("nan")


def result(volume: str = "a", mode: str = "revsam2", **changed: Any) -> ResultRow:
    values: dict[str, Any] = {
        "dataset": "hippocampus", "label": 1, "class_name": "anterior", "group": 0, "volume": volume, "mode": mode,
        "n_support": 10, "top_k": 7 if mode in ("revsam2", "random") else 0, "dsc": 0.5, "nsd": 0.6,
        "chosen_dice": NAN, "nonempty_dice": NAN, "rank_correlation": NAN, "seconds": 1.0,
    }  # fmt: skip
    values |= changed
    return ResultRow(**{"support_dataset": values["dataset"], **values})


def slice_rows(
    scores: Sequence[float], dice: Sequence[float], volume: str = "a", n_support: int = 10, **changed: Any
) -> list[SliceRow]:
    """One volume; slices with a score of 0 are empty."""
    fixed: dict[str, Any] = {"dataset": "hippocampus", "support_dataset": "hippocampus", "label": 1, "group": 0}
    return [
        SliceRow(
            **(fixed | changed),
            volume=volume,
            n_support=n_support,
            slice=index,
            reverse_score=score,
            dice=overlap,
            nonempty=int(score > 0),
        )
        for index, (score, overlap) in enumerate(zip(scores, dice, strict=True))
    ]
