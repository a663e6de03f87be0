"""What the user chose, as one frozen value, and the pure functions that change it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from napari.layers import Image, Labels, Layer

from napari_revsam2.plugin.layers.pairing import Pair, pairs_by_name, query_by_name, shape_without_colours
from napari_revsam2.settings.config import RevSAM2Config

ChosenPair = tuple[Image | None, Labels | None]
"""A row of the form; half of it, or all, may still be missing."""
Span = tuple[int, int]
"""First slice and the one after the last."""

_DEFAULT_AXIS = -3


@dataclass(frozen=True)
class Inputs:
    """What a run is made from. Layers are meant themselves, whatever they are called.

    Attributes
    ----------
    pairs : tuple of (Image or None, Labels or None)
        The support pairs, top to bottom.
    pairs_by_name, query_by_name : bool
        Whether they follow the names of the layers, as the user hasn't chosen yet.
    query : Image or None
        The volume to segment; None if the viewer has no image.
    query_shape : tuple of int
        Its axes when it was last looked at; other data begins with all slices again.
    axis : int
        The axis that slices are cut along, counted from the last (negative).
    span : (int, int) or None
        First slice of the query and the one after the last; None for all.
    unchecked : mapping of Labels to frozenset of int
        Painted slices, along `axis`, that the user doesn't want.
    settings : RevSAM2Config
        N and k as the user wants them; `resolve` bounds them by what there is.
    settings_problem : str
        Why the settings in the form aren't valid, or nothing.
    """

    pairs: tuple[ChosenPair, ...] = ()
    pairs_by_name: bool = True
    query: Image | None = None
    query_by_name: bool = True
    query_shape: tuple[int, ...] = ()
    axis: int = _DEFAULT_AXIS
    span: Span | None = None
    unchecked: Mapping[Labels, frozenset[int]] = field(default_factory=lambda: MappingProxyType({}))
    settings: RevSAM2Config = field(default_factory=RevSAM2Config)
    settings_problem: str = ""

    @property
    def complete_pairs(self) -> tuple[Pair, ...]:
        """The pairs of which neither half is missing."""
        return tuple((image, labels) for image, labels in self.pairs if image is not None and labels is not None)

    @property
    def axes(self) -> range:
        """The axes that the query could be cut along, counted from the last; none for a single image."""
        return range(-len(self.query_shape), 0) if len(self.query_shape) >= 3 else range(0)

    @property
    def n_slices(self) -> int:
        """Count the slices of the query along `axis`."""
        return self.query_shape[self.axis] if self.axis in self.axes else 1

    @property
    def range_shown(self) -> Span:
        """The range in numbers."""
        return self.span if self.span is not None else (0, self.n_slices)

    def unchecked_of(self, labels: Labels) -> frozenset[int]:
        """Find the slices of one layer that the user doesn't want."""
        return self.unchecked.get(labels, frozenset())


Wish = Callable[[Inputs], Inputs]
"""What a widget emits: how the user wants the inputs to change."""


def choose_pairs(inputs: Inputs, pairs: Sequence[ChosenPair]) -> Inputs:
    """Take these support pairs, from now on whatever layers are called; at least one row stays."""
    return replace(inputs, pairs=tuple(pairs) or ((None, None),), pairs_by_name=False)


def choose_new_labels(inputs: Inputs, row: int, labels: Labels) -> Inputs:
    """Put new labels into a row; where pairs follow names, they have been found already."""
    if inputs.pairs_by_name:
        return inputs
    pairs = list(inputs.pairs)
    pairs[row] = pairs[row][0], labels
    return choose_pairs(inputs, pairs)


def choose_query(inputs: Inputs, query: Image | None) -> Inputs:
    """Take this query with all its slices; without one, names decide again."""
    return replace(inputs, query=query, query_by_name=query is None, span=None)


def choose_axis(inputs: Inputs, axis: int) -> Inputs:
    """Cut along another axis: all slices, all of them checked."""
    return replace(inputs, axis=axis, span=None, unchecked=MappingProxyType({}))


def choose_range(inputs: Inputs, first: int, stop: int) -> Inputs:
    """Segment the slices from ``first`` to the one before ``stop``."""
    return replace(inputs, span=(first, stop))


def check(inputs: Inputs, labels: Labels, indices: Collection[int], is_wanted: bool) -> Inputs:
    """Use painted slices of a layer, or leave them out."""
    before = inputs.unchecked_of(labels)
    after = before.difference(indices) if is_wanted else before.union(indices)
    return replace(inputs, unchecked=MappingProxyType({**inputs.unchecked, labels: after}))


def choose_settings(inputs: Inputs, settings: RevSAM2Config) -> Inputs:
    """Take valid settings."""
    return replace(inputs, settings=settings, settings_problem="")


def refuse_settings(inputs: Inputs, problem: str) -> Inputs:
    """Note that the form's settings aren't valid; ``problem`` is the sentence."""
    return replace(inputs, settings_problem=problem)


def followed(inputs: Inputs, layers: Sequence[Layer], slider_axis: int = _DEFAULT_AXIS) -> Inputs:
    """Follow the viewer: layers that are new, gone, renamed or have other data.

    Parameters
    ----------
    inputs : Inputs
        What was chosen before.
    layers : sequence of Layer
        The viewer's layers, bottom to top.
    slider_axis : int
        The axis that the viewer's slider moves along, counted from the last: the default for a query.
    """
    inputs = replace(inputs, unchecked=MappingProxyType({k: v for k, v in inputs.unchecked.items() if k in layers}))
    return _with_query(_with_pairs(inputs, layers), layers, slider_axis)


def _with_pairs(inputs: Inputs, layers: Sequence[Layer]) -> Inputs:
    rows = ((pair, _without_gone(pair, layers)) for pair in inputs.pairs)
    # A row that was empty before waits for its layers; one of which both layers are gone goes with them.
    pairs = tuple(now for before, now in rows if now != (None, None) or before == (None, None))
    by_name = inputs.pairs_by_name or not pairs
    if by_name:
        pairs = tuple(pairs_by_name(layers)) or (_to_begin_with(layers),)
    return replace(inputs, pairs=pairs, pairs_by_name=by_name)


def _without_gone(pair: ChosenPair, layers: Sequence[Layer]) -> ChosenPair:
    image, labels = pair
    return image if image in layers else None, labels if labels in layers else None


def _to_begin_with(layers: Sequence[Layer]) -> ChosenPair:
    """Choose an image to begin painting on: another than the query, or the query itself if it is alone."""
    images = [layer for layer in layers if isinstance(layer, Image)]
    others = [image for image in images if image is not query_by_name(images)]
    return next(iter([*others, *images]), None), None


def _with_query(inputs: Inputs, layers: Sequence[Layer], slider_axis: int) -> Inputs:
    query = inputs.query if inputs.query in layers else None
    by_name = inputs.query_by_name or query is None
    if by_name:
        query = query_by_name(layers)
    shape = shape_without_colours(query) if query is not None else ()
    after = replace(inputs, query=query, query_by_name=by_name, query_shape=shape)
    if query is inputs.query and shape == inputs.query_shape:
        return after
    axis = _axis_for(after, inputs, slider_axis)
    return choose_axis(after, axis) if axis != inputs.axis else replace(after, span=None)


def _axis_for(after: Inputs, before: Inputs, slider_axis: int) -> int:
    """Keep the axis where the query has it; else, and for the first query, take the slider's."""
    if before.axes and before.axis in after.axes:
        return before.axis
    return slider_axis if slider_axis in after.axes else _DEFAULT_AXIS
