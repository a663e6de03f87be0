"""Labels layers as NIfTI or TIFF files, on the grid of the volume they belong to, for File > Save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pint

from napari_revsam2.plugin.layers.metadata import VOLUME
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import Volume, from_slices, new_volume, write_labels
from napari_revsam2.volume_files.protected_inputs import ProtectedInputs

from .volume_reader import is_named_as_labels

ENDINGS = (".nii.gz", ".nii", ".tif", ".tiff")
"""Of the files that can be written."""


def write_nifti_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a Labels layer as `write_labels_layer` does, as NIfTI where the name has no ending; npe2 calls this."""
    return write_labels_layer(_with_ending(path, ".nii.gz"), data, attributes)


def write_tiff_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a Labels layer as `write_labels_layer` does, as TIFF where the name has no ending; npe2 calls this."""
    return write_labels_layer(_with_ending(path, ".tif"), data, attributes)


def write_labels_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a Labels layer in the format of the name's ending.

    A layer with ``metadata["volume"]`` is written on that volume's own grid, with its affine. Another one gets the grid
    that its scale and translate describe, in its own units; pixels count as mm. Axes of length 1 before the last three
    are dropped.

    Returns
    -------
    list of str
        The path.

    Raises
    ------
    VolumeFileError
        When the layer isn't a volume, or the file can't be written, or is the image on whose grid the labels lie.
    """
    labels = np.asarray(data)
    extra = labels.ndim - 3
    if extra < 0 or any(size != 1 for size in labels.shape[:extra]):
        raise VolumeFileError(f"{path}: only a single volume can be written, not labels of shape {labels.shape}.")
    if labels.size and labels.min() < 0:
        raise VolumeFileError(f"{path}: labels below 0 can't be written; number the classes from 1.")
    stack = labels.reshape(labels.shape[extra:]).astype(np.min_scalar_type(int(labels.max(initial=0))))
    voxels = from_slices(stack, Axis.AXIAL)
    like = attributes.get("metadata", {}).get(VOLUME)
    if not isinstance(like, Volume) or like.data.shape != voxels.shape:
        millimetres = np.array([_millimetres(unit) for unit in attributes.get("units") or ("mm",) * labels.ndim])
        scale, translate = ((millimetres * attributes[key])[extra:] for key in ("scale", "translate"))
        like = new_volume(voxels, _affine(voxels.shape, scale, translate), Path(path))
    elif not is_named_as_labels(like.path):  # the image that they were painted on, or segmented from
        ProtectedInputs.of([like.path]).check(Path(path))
    write_labels(path, voxels, like)
    return [path]


def _with_ending(path: str, ending: str) -> str:
    """Complete a name, as napari offers the layer's own, which has no ending."""
    if path.lower().endswith(ENDINGS):
        return path
    if Path(path + ending).exists():  # the dialog has asked about another name
        raise VolumeFileError(f"{path + ending} exists already: choose another name, or add its ending.")
    return path + ending


def _millimetres(unit: str | pint.Unit) -> float:
    """Length of a layer's unit in mm; 1 for what is no length, as napari's pixel."""
    one = pint.Quantity(1.0, unit)
    return float(one.to("mm").magnitude) if one.is_compatible_with("mm") else 1.0


def _affine(shape: tuple[int, ...], scale: Any, translate: Any) -> Any:
    """From voxels (X, Y, Z) to mm; the inverse of what the reader does."""
    z, y, x = scale
    affine = np.diag([x, y, z, 1.0])
    affine[:3, 3] = (-translate[2] - x * (shape[0] - 1), -translate[1] - y * (shape[1] - 1), translate[0])
    return affine
