"""What layers keep of files and runs that napari itself doesn't."""

from __future__ import annotations

from pathlib import Path

from napari.layers import Layer

from napari_revsam2.vocabulary.axis import Axis

PROVENANCE = "revsam2"
"""Where a result layer's metadata keeps settings, versions and scores."""
VOLUME = "volume"
"""Where a layer's metadata keeps the grid of the file it was read from."""
BODY_AXES = tuple(axis.value for axis in (Axis.AXIAL, Axis.CORONAL, Axis.SAGITTAL))
"""Axis labels of a layer that is an axial stack, as the reader adds it: what slices along each axis are."""


def files_of(layer: Layer) -> tuple[Path, ...]:
    """List the files that a layer shows: the one that napari read, and the one on whose grid it lies."""
    volume = layer.metadata.get(VOLUME)
    paths = layer.source.path, getattr(volume, "path", None)
    return tuple(Path(path) for path in paths if path)
