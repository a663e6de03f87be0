"""NIfTI files as layers, for File > Open: slices in radiological display, at their place in mm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.plugin.layers.metadata import BODY_AXES, VOLUME
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files import Volume, read_image, read_labels

LayerData = tuple[NDArray[Any], dict[str, Any], str]
ENDINGS = (".nii.gz", ".nii")
_LABEL_SUFFIXES = ("_labels", "_label", "_seg", "_mask")


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Offer to read NIfTI files; npe2 calls this."""
    paths = [path] if isinstance(path, str) else list(path)
    return read_layers if paths and all(name.lower().endswith(ENDINGS) for name in paths) else None


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Read each file as an Image, or as Labels where its name ends in ``_labels``, ``_label``, ``_seg`` or ``_mask``.

    Raises
    ------
    VolumeFileError
        When a file can't be read as a volume.
    """
    return [read_layer(Path(name)) for name in ([path] if isinstance(path, str) else path)]


def read_layer(path: Path) -> LayerData:
    """Read one file: image ``X.nii.gz`` as ``X``, labels ``X_labels.nii.gz`` as ``X labels``.

    The layer has the axial slices (M, H, W) of `Volume.slices`, the voxel size as scale and the place of the first
    voxel as translate; its world runs superior, posterior, left in mm. The turn of an oblique volume is left out, as
    napari can't slice along turned axes; the whole affine stays in ``metadata["volume"]`` for saving.

    Raises
    ------
    VolumeFileError
        When the file can't be read as a volume.
    """
    stem, suffix = _stem(path), _label_suffix(path)
    if not suffix:
        volume = read_image(path)
        return volume.slices(Axis.AXIAL), {"name": stem, **placed(volume), "metadata": {VOLUME: volume}}, "image"
    volume = read_labels(path)
    name = f"{stem.removesuffix(suffix)} labels"
    data = np.ascontiguousarray(volume.slices(Axis.AXIAL))  # writeable, to paint on
    return data, {"name": name, **placed(volume), "metadata": {VOLUME: volume}}, "labels"


def is_named_as_labels(path: Path) -> bool:
    """Whether a file is read as Labels."""
    return bool(_label_suffix(path))


def _stem(path: Path) -> str:
    return path.name[: -len(next(end for end in ENDINGS if path.name.lower().endswith(end)))]


def _label_suffix(path: Path) -> str:
    return next((suffix for suffix in _LABEL_SUFFIXES if _stem(path).endswith(suffix)), "")


def placed(volume: Volume) -> dict[str, Any]:
    """Scale and translate of a volume's axial slices, in mm."""
    columns, rows, _ = np.array(volume.data.shape) - 1
    first = volume.affine @ (columns, rows, 0, 1)  # rows and columns run against Anterior and Right
    return {
        "scale": volume.slice_spacing(Axis.AXIAL),
        "translate": (float(first[2]), -float(first[1]), -float(first[0])),
        "units": ("mm", "mm", "mm"),
        "axis_labels": BODY_AXES,
    }
