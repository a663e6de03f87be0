"""Between the window and a session file: what is kept, and how it comes back."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.plugin.layers.metadata import PROVENANCE, VOLUME
from napari_revsam2.plugin.layers.pairing import Pair
from napari_revsam2.plugin.run.result_layer import ResultLayer
from napari_revsam2.plugin.run.run_controller import RunController
from napari_revsam2.plugin.run.run_state import Phase, RunState
from napari_revsam2.plugin.supports.annotated_slices import AnnotatedSlices
from napari_revsam2.vocabulary.errors import ProblemError

from .session_file import Session, SupportPair

_TRANSFORMS = ("scale", "translate", "rotate", "shear")
_UNREADABLE = "The session can't be read: the file is damaged, or another program changed it."


def kept_supports(form: InputForm) -> tuple[SupportPair, ...]:
    """Copy the painted slices of all support pairs.

    Raises
    ------
    ProblemError
        When nothing is painted.
    """
    pairs = tuple(_kept_pair(annotated) for annotated in form.supports.annotated if annotated.voxels)
    if not pairs:
        raise ProblemError("No support slice is painted: there is nothing to save yet.")
    return pairs


def _kept_pair(annotated: AnnotatedSlices) -> SupportPair:
    indices = tuple(annotated.voxels)
    images, labels = annotated.image_slices, annotated.slices
    axes = (images.axis, *images.plane)
    between_slices, between_rows, between_columns = (float(annotated.image.scale[axis]) for axis in axes)
    slices_in, rows_in, columns_in = (str(annotated.image.units[axis]) for axis in axes)
    return SupportPair(
        name=annotated.image.name,
        image=np.stack([images[index] for index in indices]),
        labels=np.stack([labels[index] for index in indices]),
        indices=indices,
        scale=(between_slices, between_rows, between_columns),
        units=(slices_in, rows_in, columns_in),
    )


def open_supports(viewer: ViewerModel, form: InputForm, pairs: Sequence[SupportPair], axis: int) -> None:
    """Add the painted slices as layers, cut along ``axis`` (counted from the last), and make them the supports.

    Raises
    ------
    ProblemError
        When one of them can't be shown; none is added, then.
    """
    opened = [_opened_pair(pair, axis) for pair in pairs]
    for image, labels in opened:
        # Not above the query: the first image on top would hide it.
        for position, layer in enumerate((image, labels)):
            viewer.layers.insert(position, layer)
    form.set_supports(opened)


def _opened_pair(pair: SupportPair, axis: int) -> Pair:
    place, extra = max(3 + axis, 0), -axis - 3
    # Axes between the slices' and the plane's, as time has them, are of length 1.
    scale, units = [*(1.0,) * extra, *pair.scale[1:]], [*("pixel",) * extra, *pair.units[1:]]
    scale.insert(place, pair.scale[0])
    units.insert(place, pair.units[0])
    name = f"{pair.name} supports"
    try:
        image = Image(_stacked(pair.image, axis), name=name, scale=scale, units=units)
        labels = Labels(_stacked(pair.labels, axis), name=f"{name} labels", scale=scale, units=units)
    except (TypeError, ValueError):
        raise ProblemError(_UNREADABLE) from None
    return image, labels


def _stacked(slices: NDArray[Any], axis: int) -> NDArray[Any]:
    """Turn (n, H, W) to an array whose slices along ``axis`` they are."""
    count, *plane = slices.shape
    return np.moveaxis(slices.reshape(count, *(1,) * (-axis - 3), *plane), 0, max(3 + axis, 0))


def kept_session(form: InputForm, controller: RunController) -> Session:
    """Copy supports, choices and, if there is one, the result.

    Raises
    ------
    ProblemError
        When nothing is painted.
    """
    choices = form.choices()
    choices["unchecked"] = [
        [list(annotated.voxels).index(index) for index in sorted(annotated.unchecked & set(annotated.voxels))]
        for annotated in form.supports.annotated
        if annotated.voxels
    ]
    query, result = form.query.layer, controller.result
    return Session(
        supports=kept_supports(form),
        query_name=query.name if query is not None else "",
        query_shape=tuple(int(size) for size in query.data.shape) if query is not None else (),
        choices=choices,
        result=np.array(result.layer.data) if result is not None else None,
        result_transforms=_transforms(result.layer) if result is not None else {},
        provenance=dict(result.layer.metadata.get(PROVENANCE, {})) if result is not None else {},
    )


def open_session(viewer: ViewerModel, form: InputForm, controller: RunController, session: Session) -> str:
    """Bring a session back; its query has to be among the layers, or is asked for in the text that is returned.

    Raises
    ------
    ProblemError
        When the session's choices, result or scores don't hold together.
    """
    query = _query(viewer, session)
    axis = session.choices.get("axis")
    if not isinstance(axis, int) or not -32 <= axis < 0:
        raise ProblemError(_UNREADABLE)
    layer = _opened_result(session, query)
    if query is not None:
        form.set_query(query)
    open_supports(viewer, form, session.supports, axis)
    form.apply_choices(session.choices)
    if layer is not None:
        viewer.add_layer(layer)
    if query is None:
        return f"Open the image {session.query_name!r} and load the session again to go on from its result."
    if layer is not None:
        request = form.request()
        state = _state(session.provenance, len(request.slices))
        controller.restore(request, ResultLayer(layer, request.slices), state)
    return "The session is back."


def _query(viewer: ViewerModel, session: Session) -> Image | None:
    images = [layer for layer in viewer.layers if isinstance(layer, Image)]
    fitting = [image for image in images if tuple(image.data.shape) == tuple(session.query_shape)]
    return next((image for image in fitting if image.name == session.query_name), None)


def _opened_result(session: Session, query: Image | None) -> Labels | None:
    if session.result is None:
        return None
    try:
        layer = Labels(session.result, name=f"{session.query_name} revsam2", **session.result_transforms)
    except (TypeError, ValueError):
        raise ProblemError(_UNREADABLE) from None
    layer.metadata[PROVENANCE] = dict(session.provenance)
    if query is not None and VOLUME in query.metadata:
        layer.metadata[VOLUME] = query.metadata[VOLUME]
    return layer


def _transforms(layer: Labels) -> dict[str, Any]:
    lists = {name: np.asarray(getattr(layer, name)).tolist() for name in _TRANSFORMS}
    return {
        **lists,
        "affine": np.asarray(layer.affine.affine_matrix).tolist(),
        "units": [str(unit) for unit in layer.units],
        "axis_labels": list(layer.axis_labels),
    }


def _state(provenance: dict[str, Any], n_slices: int) -> RunState:
    """Scores and conditional slices as the result's metadata has them."""
    try:
        scores = {int(c): np.array(values, np.float64) for c, values in provenance.get("scores", {}).items()}
        selected = {int(c): tuple(map(int, chosen)) for c, chosen in provenance.get("selected", {}).items()}
    except (AttributeError, TypeError, ValueError):
        raise ProblemError(_UNREADABLE) from None
    indices = [index for chosen in selected.values() for index in chosen]
    if any(values.shape != (n_slices,) for values in scores.values()) or not set(indices) <= set(range(n_slices)):
        raise ProblemError(_UNREADABLE)
    phase = Phase.CANCELED if provenance.get("partial") else Phase.COMPLETED
    return RunState(phase, n_slices, scores=MappingProxyType(scores), selected=MappingProxyType(selected))
