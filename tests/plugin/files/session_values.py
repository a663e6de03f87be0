"""A session as plain values, with a change where a test wants one."""

from __future__ import annotations

import io
import json
import zipfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from napari_revsam2.plugin.files.session_data import SupportPair

PAIR = SupportPair(
    "a",
    np.arange(24, dtype=np.int16).reshape(2, 3, 4),
    np.ones((2, 3, 4), np.uint8),
    (3, 9),
    (3.0, 1.0, 1.0),
    ("millimeter",) * 3,
)
QUERY = {"name": "b", "shape": [5, 3, 4]}
SUPPORT = {"name": "a", "indices": [3, 9], "scale": [3.0, 1.0, 1.0], "units": ["millimeter"] * 3}
FORM = {"query": QUERY, "axis": -3, "span": [1, 4], "unchecked": [[1]], "settings": {"top_k": 3, "window": "bone"}}
UNIT = np.eye(3).tolist()
TRANSFORMS = {
    "scale": [3.0, 1.0, 1.0],
    "translate": [0.0, 0.0, 0.0],
    "rotate": UNIT,
    "shear": [0.0, 0.0, 0.0],
    "affine": np.eye(4).tolist(),
    "units": ["millimeter"] * 3,
    "axis_labels": ["z", "y", "x"],
}
RUN = {
    "query": QUERY,
    "axis": -3,
    "span": [0, 5],
    "point": [0, 0, 0],
    "labels": [1, 2],
    "settings": {"top_k": 2},
    "backwards": [1],
    "query_limits": [0.0, 100.0],
    "support_limits": {"0": [0.0, 90.0]},
    "computed_with": {"device": "cpu"},
    "scores": {"1": [0.5, None, 0.25, 1.0, 0.0]},
    "selected": {"1": [0, 3]},
    "partial": False,
    "transforms": TRANSFORMS,
    "provenance": {"labels": [1, 2]},
}
HEAD = {"napari_revsam2": "session", "version": 2, "supports": [SUPPORT], "form": FORM, "run": RUN}
ARRAYS = {"image_0": PAIR.image, "labels_0": PAIR.labels, "result": np.full((5, 3, 4), 2, np.uint8)}


def changed(values: Any, path: str, value: Any) -> Any:
    """Copy nested values with another one at ``path``, such as ``supports.0.scale``."""
    copied = deepcopy(values)
    *way, last = path.split(".")
    place = copied
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    place[last] = value
    return copied


def write(path: Path, head=HEAD, **arrays) -> None:
    """Write a file as the program does; ``head`` is turned to JSON unless it is text."""
    text = head if isinstance(head, str) else json.dumps(head)
    np.savez_compressed(path, head=np.array(text), **{**ARRAYS, **arrays})


def write_members(path: Path, **members: bytes) -> None:
    """Write a file with other bytes in some of its members."""
    write(path)
    with zipfile.ZipFile(path) as archive:
        kept = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**kept, **{f"{name}.npy": data for name, data in members.items()}}.items():
            archive.writestr(name, data)


def npy_of(array: np.ndarray) -> bytes:
    """Bytes of an ``.npy``."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
