"""A run on layers: pinned when Run is clicked, read on the model thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.plugin.layers.layer_slices import LayerSlices
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, IntensityWindow, Limits
from napari_revsam2.vocabulary.errors import ProblemError

from .painted_pair import PaintedPair

ClassesBySlice = Mapping[int, Collection[int]]
"""For slice numbers of one volume the classes that count there."""


def choose_supports(painted: Sequence[ClassesBySlice], n_support: int) -> list[dict[int, tuple[int, ...]]]:
    """Find out which painted slices a run uses, without reading any: for each volume, by slice, the classes.

    The engine itself decides, on slices of which only the classes are real.

    Parameters
    ----------
    painted : sequence of mapping of int to collection of int
        For each support volume its slices on offer, ascending, with the classes painted there.
    n_support : int
        Supports for each class (N).
    """
    if not any(painted):
        return [{} for _ in painted]
    offered = SupportSet(tuple(_stand_in(v, i, slices[i]) for v, slices in enumerate(painted) for i in slices))
    used: list[dict[int, tuple[int, ...]]] = [{} for _ in painted]
    for label in offered.labels:
        for support in select_supports(offered, label, n_support):
            classes = used[support.volume].get(support.index, ())
            used[support.volume][support.index] = (*classes, label)
    return used


def _stand_in(volume: int, index: int, classes: Collection[int]) -> SupportSlice:
    ids = np.array([sorted(classes)], int)
    return SupportSlice(ids, ids, (0.0, 1.0), volume, index)


@dataclass(frozen=True, eq=False)
class LayerSupport:
    """The supports that come from one volume.

    Attributes
    ----------
    name : str
        The image layer's name, for messages.
    image : LayerSlices
        All slices of the image.
    labels : LayerSlices or mapping of int to ndarray
        Class ids (H, W) by slice number.
    used : mapping of int to collection of int
        The slices to use, and for each the classes that it is a support of; other classes on it don't count, so that
        the engine uses exactly these N.
    limits : tuple of float, optional
        Grey values seen as black and white; None where percentiles have to be found.
    """

    name: str
    image: LayerSlices
    labels: LayerSlices | Mapping[int, NDArray[Any]]
    used: ClassesBySlice
    limits: Limits | None

    def pinned(self) -> LayerSupport:
        """Copy what is painted now, so that later brush strokes don't reach it.

        Only labels in memory are copied; others (dask, zarr) are read with the image, not to hold the window.
        """
        if isinstance(self.labels, LayerSlices) and isinstance(self.labels.data, np.ndarray):
            return replace(self, labels={index: np.array(self.labels[index]) for index in self.used})
        return self

    def read(self, window: IntensityWindow, volume: int) -> tuple[SupportSlice, ...]:
        """Read image and labels of the slices in use."""
        limits = self.limits or limits_of(self.name, self.image, window)
        return tuple(
            SupportSlice(self.image[index], _only(self.labels[index], classes), limits, volume, index)
            for index, classes in self.used.items()
        )


@dataclass(frozen=True, eq=False)
class LayerRequest:
    """A `RunRequest` whose grey values are read when they are first asked for: on the model thread.

    Attributes
    ----------
    volumes : tuple of LayerSupport
        Where the supports come from.
    query_layer : Image
        The layer to segment; the result takes its name and transforms.
    slices : LayerSlices
        How it is cut.
    query_limits : tuple of float, optional
        Its grey values seen as black and white; None where percentiles have to be found.
    config : RevSAM2Config
        Settings.
    labels : tuple of int
        Classes to segment.
    colormap : napari label colormap
        Their colours: those of the first support.
    """

    volumes: tuple[LayerSupport, ...]
    query_layer: Image
    slices: LayerSlices
    query_limits: Limits | None
    config: RevSAM2Config
    labels: tuple[int, ...]
    colormap: Any

    def pinned(self) -> LayerRequest:
        """Copy the painted slices and the colours, as they are now."""
        colormap = deepcopy(self.colormap)
        colormap.use_selection = False  # the support may show one class alone
        return replace(self, volumes=tuple(volume.pinned() for volume in self.volumes), colormap=colormap)

    @cached_property
    def supports(self) -> SupportSet:
        """The painted slices in use, read at the first call.

        Raises
        ------
        ProblemError
            When a volume is constant or has NaN.
        """
        window = IntensityWindow.parse(self.config.window)
        read = [volume.read(window, number) for number, volume in enumerate(self.volumes)]
        return SupportSet(tuple(support for supports in read for support in supports))

    @cached_property
    def query(self) -> QueryVolume:
        """The volume to segment; its grey limits are found at the first call, its slices read as they are needed.

        Raises
        ------
        ProblemError
            When the volume is constant or has NaN.
        """
        window = IntensityWindow.parse(self.config.window)
        return QueryVolume(self.slices, self.query_limits or limits_of(self.query_layer.name, self.slices, window))


def request_from(
    painted: Sequence[PaintedPair],
    used: Sequence[ClassesBySlice],
    query_layer: Image,
    slices: LayerSlices,
    config: RevSAM2Config,
) -> LayerRequest:
    """Put a request together from what is painted and checked; nothing is read and nothing copied.

    Parameters
    ----------
    painted : sequence of PaintedPair
        The support volumes.
    used : sequence of mapping of int to collection of int
        What `choose_supports` chose from them.
    query_layer : Image
        The layer to segment.
    slices : LayerSlices
        How it is cut.
    config : RevSAM2Config
        Settings.

    Raises
    ------
    ProblemError
        When nothing is checked.
    """
    labels = sorted({label for slices_used in used for classes in slices_used.values() for label in classes})
    if not labels:
        raise ProblemError(_nothing_checked(painted))
    limits = _contrast_limits if config.window == CONTRAST_LIMITS else lambda _: None
    volumes = tuple(
        LayerSupport(each.image.name, each.image_slices, each.slices, used[number], limits(each.image))
        for number, each in enumerate(painted)
    )
    colormap = painted[0].labels.colormap
    return LayerRequest(volumes, query_layer, slices, limits(query_layer), config, tuple(labels), colormap)


def _nothing_checked(painted: Sequence[PaintedPair]) -> str:
    if any(each.voxels for each in painted):
        return "All painted slices are unchecked: check at least one."
    return f"Nothing is painted: paint what you look for on one or more slices of {painted[0].labels.name!r}."


def _contrast_limits(layer: Image) -> Limits:
    low, high = layer.contrast_limits
    return float(low), float(high)


def limits_of(name: str, slices: LayerSlices, window: IntensityWindow) -> Limits:
    """Find a layer's grey limits for a window that isn't the layer's own: of the whole volume, whatever the range.

    Raises
    ------
    ProblemError
        When the volume is constant; ``name`` is the layer's.
    """
    return window.limits(replace(slices, start=0, stop=int(slices.data.shape[slices.axis])), name)


def _only(labels: NDArray[Any], classes: Collection[int]) -> NDArray[Any]:
    return np.where(np.isin(labels, list(classes)), labels, 0)
