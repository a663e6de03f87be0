"""The labelled volumes that ship with the package (attribution and licence: ``README.md`` in this folder)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_SUPPORTS = ("hippocampus_001", "hippocampus_003", "hippocampus_004")
_QUERY = "hippocampus_006"
CLASSES = {1: "anterior hippocampus", 2: "posterior hippocampus"}
"""Class ids of the sample labels."""


def sample_supports() -> tuple[tuple[Path, Path], ...]:
    """Image and labels of three subjects' hippocampus (brain MR, about 35 x 50 x 36 voxels of 1 mm)."""
    return tuple(_pair(name) for name in _SUPPORTS)


def sample_query() -> tuple[Path, Path]:
    """Image and true labels of a fourth subject."""
    return _pair(_QUERY)


def _pair(name: str) -> tuple[Path, Path]:
    folder = Path(str(files(__package__)))
    return folder / f"{name}.nii.gz", folder / f"{name}_labels.nii.gz"
