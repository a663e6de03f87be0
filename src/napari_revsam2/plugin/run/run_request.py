"""What a run is started with: pinned to layer objects, read on the model thread."""

from __future__ import annotations

from typing import Any, Protocol

from napari.layers import Image

from napari_revsam2.engine.problem import QueryVolume, SupportSet
from napari_revsam2.plugin.layers.layer_slices import LayerSlices
from napari_revsam2.settings.config import RevSAM2Config


class RunRequest(Protocol):
    """One run."""

    @property
    def supports(self) -> SupportSet:
        """Painted slices as they were when Run was clicked; later brush strokes don't reach them."""

    @property
    def query(self) -> QueryVolume:
        """The slices to segment, read as they are needed."""

    @property
    def query_layer(self) -> Image:
        """The layer they come from; the result takes its name and transforms."""

    @property
    def slices(self) -> LayerSlices:
        """How the layer is cut."""

    @property
    def config(self) -> RevSAM2Config:
        """Settings."""

    @property
    def labels(self) -> tuple[int, ...]:
        """Classes to segment."""

    @property
    def colormap(self) -> Any:
        """The colours of the classes, a napari label colormap; None for napari's own."""
