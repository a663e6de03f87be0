"""Which image belongs to which labels: by name, ``X`` with ``X labels``; and a new, empty labels layer for an image."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer

from napari_revsam2.vocabulary.errors import ProblemError

from .layer_slices import full_resolution
from .metadata import VOLUME

Pair = tuple[Image, Labels]
_SUFFIX = " labels"
_BRUSH = 0.03
"""Diameter of the brush, as part of the smaller side of a slice."""


def pairs_by_name(layers: Iterable[Layer]) -> list[Pair]:
    """Find each Image ``X`` that has a Labels ``X labels``, in the order of the images."""
    layers = list(layers)
    labels = {layer.name: layer for layer in layers if isinstance(layer, Labels)}
    images = (layer for layer in layers if isinstance(layer, Image))
    return [(image, labels[image.name + _SUFFIX]) for image in images if image.name + _SUFFIX in labels]


def query_by_name(layers: Iterable[Layer]) -> Image | None:
    """Find the topmost Image without labels of its name; if all have some, the topmost of all."""
    layers = list(layers)
    paired = {image for image, _ in pairs_by_name(layers)}
    images = [layer for layer in layers if isinstance(layer, Image)]
    return next(reversed([image for image in images if image not in paired] or images), None)


def shape_without_colours(layer: Image | Labels) -> tuple[int, ...]:
    """Length of each axis at full resolution; the colours of an RGB image are no axis."""
    return tuple(int(size) for size in full_resolution(layer).shape[: layer.ndim])


def check_pair(image: Image, labels: Labels) -> None:
    """Refuse labels that don't lie on their image's voxels.

    Raises
    ------
    ProblemError
        When their shapes differ.
    """
    first, second = shape_without_colours(image), shape_without_colours(labels)
    if first != second:
        raise ProblemError(
            f"The labels {labels.name!r} have {_by(second)} voxels and their image {image.name!r} has {_by(first)}: "
            "choose labels that were painted on this image."
        )


def add_labels_for(viewer: ViewerModel, image: Image) -> Labels:
    """Add an empty Labels layer on the voxels of an image, ready to paint on.

    It lies where the image lies (all five transforms and the units), is called ``X labels``, and becomes the active
    layer, with a brush of 3 % of the smaller side of the slices that are shown.
    """
    shape = shape_without_colours(image)
    labels = Labels(
        np.zeros(shape, np.uint8),
        name=image.name + _SUFFIX,
        scale=image.scale,
        translate=image.translate,
        rotate=image.rotate,
        shear=image.shear,
        affine=image.affine,
        units=image.units,
        axis_labels=image.axis_labels,
        metadata={VOLUME: image.metadata[VOLUME]} if VOLUME in image.metadata else {},
    )
    viewer.add_layer(labels)
    viewer.dims.ndisplay = 2  # nothing can be painted into the air in 3-D
    viewer.layers.selection.active = labels
    shown = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
    sides = [shape[axis] for axis in shown if -axis <= len(shape)]
    labels.brush_size = max(2, round(_BRUSH * min(sides, default=0)))
    labels.mode = "paint"
    return labels


def _by(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))
