"""The input of the method: supports and a query volume, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.settings.intensity_window import Limits
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.vocabulary.slice_stack import SliceStack


@dataclass(frozen=True, eq=False)
class SupportSlice:
    """One painted slice: an image of S with its labels in Y (section 3); compared by identity.

    Attributes
    ----------
    image : ndarray
        (H, W) grey values.
    labels : ndarray
        (H, W) class ids, whole numbers from 0 on; 0 is background.
    limits : tuple of float
        Grey values seen as black and white.
    volume : int
        Which support volume it comes from, counted from 0.
    index : int
        Its slice number there.

    Raises
    ------
    ProblemError
        When image and labels differ in shape, or labels are no class ids.
    """

    image: NDArray[Any]
    labels: NDArray[np.integer[Any]]
    limits: Limits
    volume: int = 0
    index: int = 0

    def __post_init__(self) -> None:
        """Check shapes and class ids."""
        if self.image.shape != self.labels.shape or self.image.ndim != 2:
            raise ProblemError(
                f"A support slice of shape {self.image.shape} has labels of shape {self.labels.shape}: both must be "
                "the same (height, width)."
            )
        if self.labels.dtype.kind not in "bui":
            raise ProblemError(
                f"Slice {self.index} of support volume {self.volume + 1} has labels of type {self.labels.dtype}: class "
                "ids must be whole numbers."
            )
        if self.labels.min(initial=0) < 0:
            raise ProblemError(
                f"Slice {self.index} of support volume {self.volume + 1} has the class {self.labels.min()}: number the "
                "classes from 1; 0 is the background."
            )

    def mask(self, label: int) -> NDArray[np.bool_]:
        """Binary mask of one class (Y), (H, W)."""
        return np.asarray(self.labels == label)


@dataclass(frozen=True)
class SupportSet:
    """All painted slices on offer, in the order given.

    Raises
    ------
    ProblemError
        When no slice is painted.
    """

    slices: tuple[SupportSlice, ...]

    def __post_init__(self) -> None:
        """Check that something is painted."""
        if not self.labels:
            raise ProblemError("No support slice is painted: paint at least one slice of a support volume.")

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The class ids that are painted, ascending."""
        ids: set[int] = set()
        for support in self.slices:
            ids.update(np.unique(support.labels).tolist())
        return tuple(sorted(ids - {0}))

    def painted_with(self, label: int) -> tuple[SupportSlice, ...]:
        """Find the slices on which a class is painted."""
        return tuple(support for support in self.slices if support.mask(label).any())


def stack_supports(
    image: NDArray[Any], labels: NDArray[Any], limits: Limits, volume: int = 0, indices: Sequence[int] | None = None
) -> tuple[SupportSlice, ...]:
    """Collect the painted slices of a support volume.

    Parameters
    ----------
    image, labels : ndarray
        (M, H, W) grey values and class ids.
    limits : tuple of float
        Grey values seen as black and white.
    volume : int
        The volume's number among the supports.
    indices : sequence of int, optional
        Slices to use; by default all that are painted.

    Raises
    ------
    ProblemError
        When an index is out of range or that slice isn't painted.
    """
    painted = np.flatnonzero(np.asarray(labels).any(axis=(1, 2))).tolist()
    for index in indices or ():
        if not 0 <= index < len(image):
            raise ProblemError(
                f"There is no slice {index}: support volume {volume + 1} has slices 0 to {len(image) - 1}, of which "
                f"{_ranges(painted)} are annotated."
            )
        if index not in painted:
            raise ProblemError(
                f"Slice {index} of support volume {volume + 1} isn't annotated: choose from {_ranges(painted)}."
            )
    chosen = painted if indices is None else list(dict.fromkeys(indices))
    return tuple(SupportSlice(image[i], labels[i], limits, volume, i) for i in chosen)


def _ranges(numbers: Sequence[int]) -> str:
    """``3-7, 9`` for 3 4 5 6 7 9."""
    starts = [n for n in numbers if n - 1 not in numbers]
    ends = [n for n in numbers if n + 1 not in numbers]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True)) or "none"


@dataclass(frozen=True)
class QueryVolume:
    """The volume to segment: Q with M slices (section 3).

    Attributes
    ----------
    slices : SliceStack
        (M, H, W) grey values, read by slice.
    limits : tuple of float
        Grey values seen as black and white.

    Raises
    ------
    ProblemError
        When there is no slice.
    """

    slices: SliceStack
    limits: Limits

    def __post_init__(self) -> None:
        """Check that there is a slice."""
        if len(self.slices) == 0:
            raise ProblemError("The query volume has no slice.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, H, W."""
        height, width = np.shape(self.slices[0])
        return len(self.slices), height, width
