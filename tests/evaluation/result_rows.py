"""Rows of an evaluation that never took place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from typing import Any

from napari_revsam2.evaluation.experiment.result_rows import ResultRow, SliceRow

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


def whole_evaluation() -> tuple[list[ResultRow], list[SliceRow]]:
    """Rows for every table: two datasets, supports from elsewhere, missing rows, values of nan, one shot, all modes."""
    rows, slices = [], []
    draw = random.Random(0)
    pairs = (("BTCV", "BTCV"), ("BTCV", "lab"), ("hippocampus", "hippocampus"))
    classes = {"BTCV": {6: "liver", 3: "kidney_left"}, "hippocampus": {1: "anterior"}}
    settings = [
        *(("revsam2", n, k) for n in (10, 5) for k in (7, 3)),
        *((mode, n, 7 * (mode == "random")) for n in (10, 5) for mode in ("forward", "fifo", "random")),
        *(("one-shot", 1, 7), ("nnunet-20", 10, 0), ("box", 0, 0), ("mask", 0, 0), ("registration", 10, 0)),
    ]
    for (dataset, supports), group, volume in product(pairs, (0, 1), "abcd"):
        for (label, name), (mode, n, k) in product(classes[dataset].items(), settings):
            if draw.random() < 0.05 or (supports == "lab" and (name == "kidney_left" or mode == "box")):
                continue
            scored = mode in ("revsam2", "random")
            values = [NAN if draw.random() < 0.05 else draw.random() for _ in range(5)]
            rows.append(
                ResultRow(
                    *(dataset, supports, label, name, group, volume, mode, n, k),
                    *(value if scored or place < 2 else NAN for place, value in enumerate(values)),
                    seconds=draw.random(),
                )
            )
        for label, n in product(classes[dataset], (10, 5)):
            scores = [max(0.0, draw.random() - 0.2) for _ in range(12)]
            where = {"dataset": dataset, "support_dataset": supports, "label": label, "group": group}
            slices += slice_rows(scores, [draw.random() for _ in scores], volume, n, **where)
    return rows, slices
