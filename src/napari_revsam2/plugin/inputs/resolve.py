"""From the inputs to a request that is ready to run, or to the one sentence that stands beside Run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari.layers import Image

from napari_revsam2.plugin.layers.layer_slices import LayerSlices, slices_of
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.volume_files import LARGEST_LABEL

from .inputs import Inputs
from .layer_request import ClassesBySlice, LayerRequest, choose_supports, request_from
from .painted_pair import PaintedPair, cut_pair


@dataclass(frozen=True)
class Resolved:
    """What the inputs come to; the form shows it.

    Attributes
    ----------
    n_checked : int
        Painted slices that the user wants: the bound of N.
    n_query : int
        Slices of the query in the range: the bound of k.
    used : tuple of mapping of int to tuple of int
        For each painted pair the slices that a run uses, and the classes that each is a support of.
    request : LayerRequest or None
        What can be run; nothing is read and nothing copied yet.
    problem : str
        Why nothing can be run, in one sentence, or nothing.
    """

    n_checked: int
    n_query: int
    used: tuple[ClassesBySlice, ...]
    request: LayerRequest | None = None
    problem: str = ""


def resolve(inputs: Inputs, painted: Sequence[PaintedPair], point: Sequence[int] | None = None) -> Resolved:
    """Find out what a run would use, and whether it can begin.

    Parameters
    ----------
    inputs : Inputs
        What the user chose.
    painted : sequence of PaintedPair
        The complete pairs that could be cut, and what is painted on them as far as it is known.
    point : sequence of int, optional
        The viewer's position in the query's own indices; it decides on axes such as time.
    """
    checked = [pair.checked(inputs.unchecked_of(pair.labels)) for pair in painted]
    resolved = Resolved(sum(map(len, checked)), _length(inputs), tuple({} for _ in painted))
    try:
        _check_classes(painted, checked)
        used = choose_supports(checked, _bounded(inputs.settings.n_support, resolved.n_checked))
        resolved = replace(resolved, used=tuple(used))
        return replace(resolved, request=_request(inputs, painted, point, resolved))
    except ProblemError as error:
        return replace(resolved, problem=str(error))


def cut_query(inputs: Inputs, point: Sequence[int] | None = None) -> LayerSlices:
    """Cut the query as it was chosen.

    Raises
    ------
    ProblemError
        When there is none, it has no slices, or the range is empty.
    """
    if inputs.query is None:
        raise ProblemError("There is no image: drop a volume into napari, or take File > Open Sample.")
    first, stop = inputs.range_shown
    if first >= stop:
        raise ProblemError(f"The range of slices is empty: the first one ({first}) is after the last ({stop - 1}).")
    return slices_of(inputs.query, inputs.axis, point, (first, stop))


def notes(inputs: Inputs, point: Sequence[int]) -> str:
    """Say what will be done with the query that can't be seen from its name."""
    try:
        slices = cut_query(inputs, point)
    except ProblemError:
        return ""
    assert inputs.query is not None
    fixed = (axis - slices.ndim for axis in slices.fixed_axes)
    texts = [f"{axis_name(inputs.query, axis)} is fixed at {slices.point[axis]}." for axis in fixed]
    texts += ["Colours are turned to luminance."] if slices.rgb else []
    texts += ["The full resolution is segmented."] if inputs.query.multiscale else []
    return " ".join(texts)


def axis_name(layer: Image, axis: int) -> str:
    """Find the layer's own name of an axis (negative), or its number from the front."""
    if layer.axis_labels == tuple(str(number) for number in range(-layer.ndim, 0)):
        return f"axis {axis + layer.ndim}"
    return str(layer.axis_labels[axis])


def _request(
    inputs: Inputs, painted: Sequence[PaintedPair], point: Sequence[int] | None, resolved: Resolved
) -> LayerRequest:
    if inputs.query is None:
        cut_query(inputs)
    _check_pairs(inputs)
    if not all(pair.is_known for pair in painted):
        raise ProblemError("Painted slices are still being looked for: wait a moment.")
    slices = cut_query(inputs, point)
    if inputs.settings_problem:
        raise ProblemError(inputs.settings_problem)
    assert inputs.query is not None
    config = replace(
        inputs.settings,
        n_support=_bounded(inputs.settings.n_support, resolved.n_checked),
        top_k=_bounded(inputs.settings.top_k, resolved.n_query),
    )
    return request_from(painted, resolved.used, inputs.query, slices, config)


def _check_pairs(inputs: Inputs) -> None:
    """Refuse pairs that can't be meant, or whose halves don't fit together."""
    for image, labels in inputs.pairs:
        if image is not None and labels is None:
            raise ProblemError(f"{image.name!r} has no labels yet: choose some, or click 'New labels'.")
        if labels is not None and image is None:
            raise ProblemError(f"{labels.name!r} has no image: choose the one that it was painted on.")
    pairs = inputs.complete_pairs
    if not pairs:
        raise ProblemError("There is no support: choose an image and its labels.")
    chosen = [labels for _, labels in pairs]
    for image, labels in pairs:
        if chosen.count(labels) > 1:
            raise ProblemError(f"The labels {labels.name!r} are in two support pairs: remove one of them.")
        cut_pair(image, labels, inputs.axis)


def _check_classes(painted: Sequence[PaintedPair], checked: Sequence[ClassesBySlice]) -> None:
    """Refuse classes that no result could hold, before anything is computed."""
    for pair, classes_by_slice in zip(painted, checked, strict=True):
        for label in sorted({label for classes in classes_by_slice.values() for label in classes}):
            if not 1 <= label <= LARGEST_LABEL:
                raise ProblemError(
                    f"The labels {pair.labels.name!r} have the class {label}: number the classes from 1 to "
                    f"{LARGEST_LABEL}; 0 is the background."
                )


def _length(inputs: Inputs) -> int:
    first, stop = inputs.range_shown
    return max(stop - first, 0) if inputs.query is not None else 0


def _bounded(wanted: int, available: int) -> int:
    """Take as many as there are, but at least one, so that the settings are valid with nothing to choose from."""
    return max(min(wanted, available), 1)
