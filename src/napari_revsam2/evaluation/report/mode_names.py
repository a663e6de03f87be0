"""What modes are called in tables, and in which order they stand."""

from __future__ import annotations

import re

import pandas as pd

from napari_revsam2.evaluation.systems.registry import PROMPTS
from napari_revsam2.settings.config import Mode

_NAMES = {
    "revsam2": "RevSAM2",
    "forward": "forward propagation",
    "fifo": "with query information (FIFO)",
    "random": "random selection",
    "one-shot": "RevSAM2, one shot",
    "points-1": "1 positive and 1 negative point",
    "points-3": "3 positive and 3 negative points",
    "box": "bounding box",
    "mask": "mask on the first slice",
    "nnunet": "nnU-Net",
    "universeg": "UniverSeg",
}
_FIRST = (*PROMPTS, "nnunet", "universeg")
"""Prompts and systems in the order of Table 1."""


def mode_name(mode: str, results: pd.DataFrame | None = None) -> str:
    """Name a mode in words, with N and k of its results where it has them: prompts take no supports."""
    name = _NAMES.get(mode, _NAMES.get(system_of(mode), system_of(mode)) + mode.removeprefix(system_of(mode)))
    if results is None or results.empty or mode in PROMPTS:
        return name
    first = results.iloc[0]
    numbers = (("N", first["n_support"]), ("k", first["top_k"]))
    return ", ".join([name, *(f"{letter} = {number}" for letter, number in numbers if number)])


def system_of(mode: str) -> str:
    """Take the epochs off a mode such as ``nnunet-20``: what the paper's rows are matched with."""
    return re.sub(r"^(nnunet)-\d+$", r"\1", mode)


def mode_order(mode: str) -> tuple[int, str]:
    """Sort prompts first, then other systems, then RevSAM2, as Table 1 does."""
    name = system_of(mode)
    if name in _FIRST:
        return _FIRST.index(name), mode
    return len(_FIRST) + (name == Mode.REVSAM2.value), mode
