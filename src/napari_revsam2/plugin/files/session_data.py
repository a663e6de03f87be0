"""What a session or a set of painted slices holds, as plain values with bounds: a file that doesn't fit is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from napari_revsam2.volume_files import LARGEST_LABEL

SESSION_VERSION: Final = 2
"""Of the format; 1 kept what the form showed, which needn't be what the result was computed from."""
UNSAVABLE: Final = (
    "A layer has values that no session can hold, such as NaN, a size of zero or a class above 65535: correct it, and "
    "save again."
)
"""The sentence for what doesn't fit on the way into a file."""
_LARGEST = 1e12
"""Of sizes and places in a layer's units; larger ones overflow when napari multiplies them."""
_MOST_AXES = 32
"""NumPy's limit."""


_UNIT = r"[^\W\d]\w*( \*\* \d(\.\d+)?)?"
"""A name with a power: pint computes whatever else stands in a unit, and ``9**9**9`` would take it for ever."""


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise ValueError("twice the same number")
    return values


def _ascending(values: tuple[float, float]) -> tuple[float, float]:
    if values[0] >= values[1]:
        raise ValueError("the wrong way round")
    return values


def _not_zero(value: float) -> float:
    if abs(value) < 1 / _LARGEST:
        raise ValueError("zero, or next to it")
    return value


Text = Annotated[str, Field(max_length=300)]
Unit = Annotated[str, Field(max_length=100, pattern=rf"^(1|{_UNIT})( [*/] {_UNIT})*$")]
Number = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]
Size = Annotated[Number, AfterValidator(_not_zero)]
Index = Annotated[int, Field(ge=0, lt=2**31)]
Indices = Annotated[tuple[Index, ...], AfterValidator(_distinct)]
Axis = Annotated[int, Field(ge=-_MOST_AXES, le=-1)]
ClassId = Annotated[int, Field(ge=1, le=LARGEST_LABEL)]
Score = Annotated[float, Field(ge=0, le=1)]
Classes = Annotated[tuple[ClassId, ...], Field(min_length=1), AfterValidator(_distinct)]
Limits = Annotated[tuple[float, float], AfterValidator(_ascending)]
Vector = Annotated[tuple[Number, ...], Field(max_length=_MOST_AXES**2)]
Matrix = Annotated[tuple[Vector, ...], Field(max_length=_MOST_AXES + 1)]
Settings = dict[str, str | int]
"""Values of `RevSAM2Config` by name, as its ``as_dict`` lists them."""


class _Plain(BaseModel):
    """Plain values: of the type that is declared, finite, and none that nobody asked for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class DescribedSupport(_Plain):
    """A support pair without its voxels: see `SupportPair`."""

    name: Text
    indices: Annotated[Indices, Field(min_length=1)]
    scale: tuple[Size, Size, Size]
    units: tuple[Unit, Unit, Unit]


class Query(_Plain):
    """The image to open before, as it isn't kept itself: its name, and its shape without colours."""

    name: Text
    shape: Annotated[tuple[Annotated[int, Field(ge=1, lt=2**31)], ...], Field(min_length=3, max_length=_MOST_AXES)]


class _Cut(_Plain):
    """A query, cut along an axis (counted from the last), and a range of its slices."""

    query: Query
    axis: Axis
    span: tuple[Index, Index]

    @property
    def n_slices(self) -> int:
        """Count the slices of the query."""
        return self.query.shape[self.axis]

    @model_validator(mode="after")
    def _check_cut(self) -> _Cut:
        if -self.axis > len(self.query.shape) or max(self.span[0] + 1, self.span[1]) > self.n_slices:
            raise ValueError("the query has no such slices")
        return self


class FormChoices(_Cut):
    """What the form shows: query, axis, range, unchecked slices and settings.

    Attributes
    ----------
    unchecked : tuple of tuple of int
        For each support pair the places, among its painted slices, of those that the user doesn't want.
    settings : dict
        Without a checkpoint that is a file: its path is nobody's business.
    """

    unchecked: tuple[Indices, ...]
    settings: Settings


class Transforms(_Plain):
    """Where the result layer lies: arguments of a napari layer."""

    scale: tuple[Size, ...]
    translate: Vector
    rotate: Matrix
    shear: Vector | Matrix
    affine: Matrix
    units: tuple[Unit, ...]
    axis_labels: tuple[Text, ...]


class RunRecord(_Cut):
    """The request of the last run, whatever the form shows by now, and what came of it.

    Attributes
    ----------
    point : tuple of int
        The index on each axis of the query, which decides on axes such as time.
    labels : tuple of int
        The classes.
    settings : dict
        As in `FormChoices`.
    backwards : tuple of int
        The axes along which slices, rows or columns run against the data: the same in another session, or its slices
        are other ones.
    query_limits : (float, float)
        Grey values of the query that were seen as black and white.
    support_limits : dict
        Those of each support volume, by its number.
    computed_with : dict
        Device and precision.
    scores : dict
        For each class the reverse score of each slice; None where it isn't known.
    selected : dict
        For each class the conditional slices.
    partial : bool
        Whether the run ended before it was through.
    transforms : Transforms
        Of the result layer.
    provenance : dict
        What the result layer's metadata says of the run; only shown.
    """

    point: tuple[Index, ...]
    labels: Classes
    settings: Settings
    backwards: Indices
    query_limits: Limits
    support_limits: dict[Index, Limits]
    computed_with: dict[Text, Text]
    scores: dict[ClassId, tuple[Score | None, ...]]
    selected: dict[ClassId, Indices]
    partial: bool
    transforms: Transforms
    provenance: dict[str, JsonValue]

    @model_validator(mode="after")
    def _check_run(self) -> RunRecord:
        first, stop = self.span
        length, placed = stop - first, self.transforms
        lengths = {len(part) for part in (placed.scale, placed.translate, placed.units, placed.axis_labels, self.point)}
        fits = (
            first < stop
            and lengths == {len(self.query.shape)}
            and all(place < size for place, size in zip(self.point, self.query.shape, strict=True))
            and {*self.scores, *self.selected} <= {*self.labels}
            and all(len(scores) == length for scores in self.scores.values())
            and all(index < length for indices in self.selected.values() for index in indices)
        )
        if not fits:
            raise ValueError("the run's parts don't fit each other")
        return self


class FileStamp(_Plain):
    """What every file of ours says of itself, beside what else it holds."""

    model_config = ConfigDict(extra="ignore")

    napari_revsam2: Literal["supports", "session"]
    version: Annotated[int, Field(ge=1)]


class SupportsHead(FileStamp):
    """The description in a file of painted slices; a session's can be read as one."""

    napari_revsam2: Literal["supports", "session"] = "supports"
    version: int = 1
    supports: Annotated[tuple[DescribedSupport, ...], Field(min_length=1)]


class SessionHead(_Plain):
    """The description in a session's file."""

    napari_revsam2: Literal["session"] = "session"
    version: Literal[2] = SESSION_VERSION
    supports: Annotated[tuple[DescribedSupport, ...], Field(min_length=1)]
    form: FormChoices
    run: RunRecord | None


@dataclass(frozen=True, eq=False)
class SupportPair:
    """The painted slices of one support volume.

    Attributes
    ----------
    name : str
        The image layer's name.
    image, labels : ndarray
        (n, H, W) grey values and class ids.
    indices : tuple of int
        Their slice numbers in the volume.
    scale : tuple of float
        Distance between slices, rows and columns.
    units : tuple of str
        What each of the three is measured in.

    Raises
    ------
    ValueError
        When the arrays don't fit each other, or hold what are no finite grey values and no class ids.
    """

    name: str
    image: NDArray[Any]
    labels: NDArray[Any]
    indices: tuple[int, ...]
    scale: tuple[float, float, float]
    units: tuple[str, str, str] = ("pixel", "pixel", "pixel")

    def __post_init__(self) -> None:
        """Check the arrays."""
        fits = self.image.shape == self.labels.shape and self.image.ndim == 3 and self.image.size > 0
        if not fits or len(self.indices) != len(self.image):
            raise ValueError("image, labels and slice numbers differ")
        if self.labels.dtype.kind not in "iub" or self.image.dtype.kind not in "iubf" or self.image.dtype.itemsize > 8:
            raise ValueError("no grey values, or no class ids")
        if not np.isfinite(self.image).all():
            raise ValueError("NaN or infinite voxels")


@dataclass(frozen=True, eq=False)
class Session:
    """What is needed to resume on another day; the query image itself is not kept.

    Attributes
    ----------
    supports : tuple of SupportPair
        Painted slices.
    form : FormChoices
        What the form shows.
    run : RunRecord or None
        The request whose result is in the viewer; it may differ from what the form shows.
    result : ndarray or None
        The result layer's data, if there is a run.

    Raises
    ------
    ValueError
        When the parts don't fit each other.
    """

    supports: tuple[SupportPair, ...]
    form: FormChoices
    run: RunRecord | None = None
    result: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit."""
        unchecked = self.form.unchecked
        if len(unchecked) != len(self.supports) or any(
            place >= len(pair.indices)
            for pair, places in zip(self.supports, unchecked, strict=True)
            for place in places
        ):
            raise ValueError("slices are unchecked that aren't there")
        if (self.run is None) != (self.result is None):
            raise ValueError("a run without a result, or the reverse")
        if self.result is not None and not _holds_class_ids(self.result):
            raise ValueError("the result holds no class ids")


def _holds_class_ids(result: NDArray[Any]) -> bool:
    return result.dtype.kind in "iub" and 0 <= result.min(initial=0) <= result.max(initial=0) <= LARGEST_LABEL
