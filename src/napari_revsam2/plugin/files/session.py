"""Between the window and a session file: what is kept, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_revsam2.engine.events import WindowResolved
from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.plugin.inputs.inputs import Inputs, choose_pairs
from napari_revsam2.plugin.inputs.layer_request import LayerRequest
from napari_revsam2.plugin.inputs.painted_pair import PaintedPair
from napari_revsam2.plugin.layers.layer_slices import full_resolution, slices_of
from napari_revsam2.plugin.layers.metadata import PROVENANCE, VOLUME
from napari_revsam2.plugin.layers.pairing import Pair, shape_without_colours
from napari_revsam2.plugin.run.result_layer import ResultLayer
from napari_revsam2.plugin.run.run_controller import RunController
from napari_revsam2.plugin.run.run_request import RunRequest
from napari_revsam2.plugin.run.run_state import Phase, RunState
from napari_revsam2.sam2_backend.checkpoints.checkpoint import find_checkpoint
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError

from .session_data import UNSAVABLE, FormChoices, Query, RunRecord, Session, Settings, SupportPair, Transforms

_UNREADABLE = "The session can't be read: the file is damaged, or another program changed it."


def kept_supports(form: InputForm) -> tuple[SupportPair, ...]:
    """Copy the painted slices of all support pairs.

    Raises
    ------
    ProblemError
        When nothing is painted, or a layer has values that a file can't hold.
    """
    painted = _painted(form)
    with _one_sentence(UNSAVABLE):
        return tuple(_kept_pair(pair) for pair in painted)


@contextmanager
def _one_sentence(sentence: str) -> Iterator[None]:
    """Say what napari, pint, NumPy or pydantic refuse in words of ours."""
    try:
        yield
    except ProblemError:
        raise
    except Exception:  # napari passes on whatever its libraries raise
        raise ProblemError(sentence) from None


def _painted(form: InputForm) -> list[PaintedPair]:
    form.supports.settle()
    pairs = [pair for pair in form.supports.painted if pair.voxels]
    if not pairs:
        raise ProblemError("No support slice is painted: there is nothing to save yet.")
    return pairs


def _kept_pair(pair: PaintedPair) -> SupportPair:
    indices = tuple(pair.voxels)
    images, labels = pair.image_slices, pair.slices
    axes = (images.axis, *images.plane)
    between_slices, between_rows, between_columns = (float(pair.image.scale[axis]) for axis in axes)
    slices_in, rows_in, columns_in = (str(pair.image.units[axis]) for axis in axes)
    return SupportPair(
        name=_name(pair.image),
        image=np.stack([images[index] for index in indices]),
        labels=np.stack([labels[index] for index in indices]),
        indices=indices,
        scale=(between_slices, between_rows, between_columns),
        units=(slices_in, rows_in, columns_in),
    )


def _name(layer: Image) -> str:
    """Name a layer in as many characters, and such, as a file holds; file names, and so layers, may have others."""
    return str(layer.name).encode("utf-8", "backslashreplace").decode()[:300]


def open_supports(viewer: ViewerModel, form: InputForm, pairs: Sequence[SupportPair]) -> None:
    """Add the painted slices as layers, cut along the form's axis, and make them the supports.

    Raises
    ------
    ProblemError
        When one of them can't be shown; none is added, then.
    """
    opened = [_opened_pair(pair, form.inputs.axis) for pair in pairs]
    with _all_or_nothing(viewer):
        _add_supports(viewer, opened)
    form.change(lambda inputs: choose_pairs(inputs, opened))


def _add_supports(viewer: ViewerModel, opened: Sequence[Pair]) -> None:
    for image, labels in opened:
        # Not above the query: the first image on top would hide it.
        for position, layer in enumerate((image, labels)):
            viewer.layers.insert(position, layer)


def _opened_pair(pair: SupportPair, axis: int) -> Pair:
    place, extra = max(3 + axis, 0), -axis - 3
    # Axes between the slices' and the plane's, as time has them, are of length 1.
    scale, units = [*(1.0,) * extra, *pair.scale[1:]], [*("pixel",) * extra, *pair.units[1:]]
    scale.insert(place, pair.scale[0])
    units.insert(place, pair.units[0])
    name = f"{pair.name.removesuffix(' supports')} supports"
    with _one_sentence(_UNREADABLE):
        image = Image(_stacked(pair.image, axis), name=name, scale=scale, units=units)
        labels = Labels(_stacked(pair.labels, axis), name=f"{name} labels", scale=scale, units=units)
    return image, labels


def _stacked(slices: NDArray[Any], axis: int) -> NDArray[Any]:
    """Turn (n, H, W) to an array whose slices along ``axis`` they are."""
    count, *plane = slices.shape
    return np.moveaxis(slices.reshape(count, *(1,) * (-axis - 3), *plane), 0, max(3 + axis, 0))


def kept_session(form: InputForm, controller: RunController) -> Session:
    """Copy supports, choices and, if there is one, the result with the request that it was computed from.

    Raises
    ------
    ProblemError
        When nothing is painted, there is no query, the run's query has other data now, or a layer has values that a
        session can't hold.
    """
    with _one_sentence(UNSAVABLE):
        return _kept_session(form, controller)


def _kept_session(form: InputForm, controller: RunController) -> Session:
    painted, inputs = _painted(form), form.inputs
    _check_query_of_run(controller)
    if inputs.query is None or not inputs.axes:
        raise ProblemError("There is no volume to segment: choose a query, or save the painted slices alone.")
    first, stop = inputs.range_shown
    choices = FormChoices(
        query=_kept_query(inputs.query),
        axis=inputs.axis,
        span=(first, stop),
        unchecked=tuple(_unchecked_places(pair, inputs.unchecked_of(pair.labels)) for pair in painted),
        settings=_kept_settings(inputs.settings),
    )
    supports = tuple(_kept_pair(pair) for pair in painted)
    if controller.result is None or controller.request is None:
        return Session(supports, choices)
    record = _kept_run(controller.request, controller.state, controller.result.layer)
    return Session(supports, choices, record, np.array(controller.result.layer.data))


def _check_query_of_run(controller: RunController) -> None:
    request = controller.request
    if controller.result is None or request is None:
        return
    if full_resolution(request.query_layer) is not request.slices.data:
        raise ProblemError(
            f"The image {request.query_layer.name!r} has other data than when it was segmented: run again, or save the "
            "result and the painted slices alone."
        )


def _unchecked_places(pair: PaintedPair, unchecked: frozenset[int]) -> tuple[int, ...]:
    return tuple(place for place, index in enumerate(pair.voxels) if index in unchecked)


def _kept_query(layer: Image) -> Query:
    return Query(name=_name(layer), shape=shape_without_colours(layer))


def _kept_settings(config: RevSAM2Config) -> Settings:
    """Take the settings, but not the path of a file."""
    values = config.as_dict()
    if find_checkpoint(config.checkpoint).is_private:
        del values["checkpoint"]
    return values


def _kept_run(request: RunRequest, state: RunState, layer: Labels) -> RunRecord:
    slices, window, provenance = request.slices, state.window, dict(layer.metadata.get(PROVENANCE, {}))
    return RunRecord(
        query=_kept_query(request.query_layer),
        axis=slices.axis - slices.ndim,
        span=(slices.start, slices.stop),
        point=slices.point,
        labels=request.labels,
        settings=_kept_settings(request.config),
        backwards=slices.backwards,
        query_limits=request.query.limits,
        support_limits=dict(window.supports) if window is not None else {},
        computed_with=dict(state.computed_with),
        scores={c: tuple(None if np.isnan(s) else float(s) for s in scores) for c, scores in state.scores.items()},
        selected=dict(state.selected),
        partial=bool(provenance.get("partial", True)),  # a canceled "Propagate again" leaves a whole result
        transforms=Transforms(
            scale=_numbers(layer.scale),
            translate=_numbers(layer.translate),
            rotate=_numbers(layer.rotate),
            shear=_numbers(layer.shear),
            affine=_numbers(layer.affine.affine_matrix),
            units=tuple(map(str, layer.units)),
            axis_labels=tuple(layer.axis_labels),
        ),
        provenance=provenance,
    )


def _numbers(array: Any) -> Any:
    """Turn a vector or matrix to tuples."""
    return tuple(map(_numbers, array)) if np.ndim(array) else float(array)


def open_session(viewer: ViewerModel, form: InputForm, controller: RunController, session: Session) -> None:
    """Bring a session back; all of it is built before the first layer is added.

    Raises
    ------
    ProblemError
        When a query isn't open, or the session can't be shown; nothing is added, then.
    """
    choices, run = session.form, session.run
    query = _open_query(viewer, choices.query)
    opened = [_opened_pair(pair, choices.axis) for pair in session.supports]
    unchecked = {labels: frozenset(places) for (_, labels), places in zip(opened, choices.unchecked, strict=True)}
    inputs = Inputs(
        pairs=tuple(opened),
        pairs_by_name=False,
        query=query,
        query_by_name=False,
        query_shape=choices.query.shape,
        axis=choices.axis,
        span=choices.span,
        unchecked=MappingProxyType(unchecked),
        settings=_settings(choices.settings, form.inputs.settings),
    )
    request = _request(viewer, run, form.inputs.settings) if run is not None else None
    with _all_or_nothing(viewer):
        result = None if request is None else _result(session, request)
        _add_supports(viewer, opened)
        if result is not None:
            viewer.add_layer(result.layer)
    form.set_inputs(inputs)
    if run is not None and request is not None and result is not None:
        controller.restore(request, result, _state(run))


@contextmanager
def _all_or_nothing(viewer: ViewerModel) -> Iterator[None]:
    """Take layers away again when one that napari was able to build can't be shown beside the others."""
    before, active = list(viewer.layers), viewer.layers.selection.active
    try:
        with _one_sentence(_UNREADABLE):
            yield
    except ProblemError:
        for layer in [layer for layer in viewer.layers if layer not in before]:
            viewer.layers.remove(layer)
        viewer.layers.selection.active = active
        raise


def _open_query(viewer: ViewerModel, query: Query) -> Image:
    images = [layer for layer in viewer.layers if isinstance(layer, Image)]
    for image in images:
        if _name(image) == query.name and shape_without_colours(image) == query.shape:
            return image
    size = " x ".join(map(str, query.shape))
    raise ProblemError(f"Open the image {query.name!r} ({size} voxels) first, and load the session again.")


def _settings(kept: Settings, otherwise: RevSAM2Config) -> RevSAM2Config:
    """Take the kept settings, and for a checkpoint that was a file what the form has."""
    values = otherwise.as_dict()
    values |= {name: value for name, value in kept.items() if name in values}
    if find_checkpoint(str(values["checkpoint"])).is_private:  # no session of ours names a file
        values["checkpoint"] = otherwise.checkpoint
    try:
        return RevSAM2Config(**values)
    except ProblemError:
        raise ProblemError(_UNREADABLE) from None


def _request(viewer: ViewerModel, run: RunRecord, otherwise: RevSAM2Config) -> LayerRequest:
    """Bring the run's request back, as far as 'Propagate again' needs it: its supports have spoken."""
    query = _open_query(viewer, run.query)
    slices = slices_of(query, run.axis, run.point, run.span)
    if slices.backwards != run.backwards:
        raise ProblemError(
            f"The image {query.name!r} lies otherwise than when the session was saved: open it from the same file."
        )
    return LayerRequest(
        volumes=(),
        query_layer=query,
        slices=slices,
        query_limits=run.query_limits,
        config=_settings(run.settings, otherwise),
        labels=run.labels,
        colormap=None,
    )


def _result(session: Session, request: LayerRequest) -> ResultLayer:
    assert session.run is not None
    slices, shape = request.slices, session.run.query.shape
    expected = tuple(1 if axis in slices.fixed_axes else size for axis, size in enumerate(shape))
    if session.result is None or session.result.shape != expected:
        raise ValueError("the result isn't that of this query")
    transforms = session.run.transforms.model_dump(mode="json")  # lists: napari takes no tuples for a matrix
    layer = Labels(session.result, name=f"{request.query_layer.name} revsam2", **transforms)
    layer.metadata[PROVENANCE] = dict(session.run.provenance)
    if VOLUME in request.query_layer.metadata:
        layer.metadata[VOLUME] = request.query_layer.metadata[VOLUME]
    return ResultLayer(layer, slices)


def _state(run: RunRecord) -> RunState:
    """Scores and conditional slices as the session has them."""
    scores = {c: np.array([np.nan if s is None else s for s in scores]) for c, scores in run.scores.items()}
    phase = Phase.CANCELED if run.partial else Phase.COMPLETED
    return RunState(
        phase,
        run.span[1] - run.span[0],
        scores=MappingProxyType(scores),
        selected=MappingProxyType(dict(run.selected)),
        window=WindowResolved(run.query_limits, run.support_limits),
        computed_with=MappingProxyType(run.computed_with),
    )
