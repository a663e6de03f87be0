"""From layers and settings to a request; says beforehand what can't work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QSettings, Qt, Signal
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_revsam2.plugin.inputs.layer_request import ClassesBySlice, LayerRequest, choose_supports, request_from
from napari_revsam2.plugin.layers.connections import Connections
from napari_revsam2.plugin.layers.pairing import Pair
from napari_revsam2.plugin.settings.settings_form import SettingsForm
from napari_revsam2.plugin.supports.support_list import SupportList
from napari_revsam2.plugin.supports.support_pairs import SupportPairs
from napari_revsam2.vocabulary.errors import ProblemError, RevSAM2Error

from .query_form import QueryForm
from .run_bar import RunBar

ORGANISATION = "napari-revsam2"
"""Under which settings are kept on this computer; never names of layers, nor paths."""


_WIDTH = 350
"""Pixels in which everything is to be seen."""
_WAIT = "Painted slices are still being looked for: wait a moment."


class InputForm(QWidget):
    """Supports, query, settings and the Run button.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are; not the proxy that napari hands to plugins, behind which no layer is itself.
    stored : QSettings, optional
        Where settings are kept from session to session; by default the user's.
    parent : QWidget, optional
        Where the form is.

    Attributes
    ----------
    run_requested : Signal(LayerRequest)
        Run was clicked; painted slices are copied, grey values are still to be read.
    cancel_requested : Signal()
        Cancel was clicked.
    slice_requested : Signal(Image, int)
        A click on a painted slice of that image, along `axis`.
    """

    run_requested = Signal(object)
    cancel_requested = Signal()
    slice_requested = Signal(object, int)

    def __init__(self, viewer: ViewerModel, stored: QSettings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._build_parts(stored if stored is not None else QSettings(ORGANISATION, ORGANISATION))
        self._build_layout()
        self._connect_parts()
        self._connect_viewer()
        self._on_layers_changed()

    def _build_parts(self, stored: QSettings) -> None:
        self.pairs = SupportPairs(self._viewer, self)
        self.supports = SupportList(self._viewer, self)
        self.query = QueryForm(self._viewer, self)
        self.settings = SettingsForm(stored, self)
        self.run_bar = RunBar(self)

    def _build_layout(self) -> None:
        inputs = QWidget()
        column = QVBoxLayout(inputs)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        column.addWidget(self.pairs)
        column.addWidget(self.supports, stretch=1)
        column.addWidget(self.query)
        column.addWidget(QLabel("<b>Settings</b>"))
        column.addWidget(self.settings)
        scroll = QScrollArea(self)
        scroll.setMinimumWidth(_WIDTH)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inputs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(scroll, stretch=1)
        layout.addWidget(self.run_bar)

    def _connect_parts(self) -> None:
        self.pairs.changed.connect(self._on_inputs_changed)
        self.query.changed.connect(self._on_inputs_changed)
        self.supports.changed.connect(self._on_choices_changed)
        self.supports.slice_requested.connect(self.slice_requested)
        self.settings.changed.connect(self._on_choices_changed)
        self.run_bar.run_clicked.connect(self._on_run_clicked)
        self.run_bar.cancel_clicked.connect(self.cancel_requested)

    def _connect_viewer(self) -> None:
        connections = self._connections = Connections()
        layers = self._viewer.layers.events
        connections.connect(layers.inserted, self._on_layer_inserted)
        connections.connect(layers.removed, self._on_layer_removed)
        connections.connect(layers.reordered, self._on_layers_changed)
        connections.connect(layers.renamed, self._on_layers_changed)
        connections.connect(self._viewer.dims.events.point, self._on_point_moved)
        for layer in self._viewer.layers:
            self._follow_data(layer)
        self.destroyed.connect(connections.close)

    @property
    def axis(self) -> int:
        """The axis that slices are cut along, counted from the last (negative)."""
        return self.query.axis

    def request(self) -> LayerRequest:
        """Give what a run needs, pinned: layers renamed, painted on or removed later don't matter to it.

        Raises
        ------
        RevSAM2Error
            When it can't work; the text says why.
        """
        for annotated in self.supports.annotated:
            annotated.settle()
        if not all(annotated.is_complete for annotated in self.supports.annotated):
            raise ProblemError(_WAIT)
        return self._unpinned_request(self._used()).pinned()

    def set_running(self, is_running: bool) -> None:
        """Tell whether a run goes on: the button is Cancel, then."""
        self.run_bar.set_running(is_running)

    def set_progress(self, text: str, done: int, total: int) -> None:
        """Show how far a run is."""
        self.run_bar.set_progress(text, done, total)

    def show_message(self, text: str) -> None:
        """Say something beside the button; it stays until the next run begins."""
        self.run_bar.show_message(text)

    def set_supports(self, pairs: Sequence[Pair]) -> None:
        """Take these support pairs, as if the user had chosen them."""
        self.pairs.set_pairs(pairs)

    def set_query(self, layer: Image) -> None:
        """Take this query, as if the user had chosen it."""
        self.query.set_layer(layer)

    def choices(self) -> dict[str, Any]:
        """Give what was chosen, layers apart, as values that JSON can hold; no names and no paths."""
        return {
            "settings": self.settings.choices(),
            "axis": self.query.axis,
            "span": list(self.query.span),
            "unchecked": [sorted(annotated.unchecked) for annotated in self.supports.annotated],
        }

    def apply_choices(self, choices: dict[str, Any]) -> None:
        """Take what `choices` gave, after `set_supports` and `set_query`.

        Raises
        ------
        ProblemError
            When it isn't of that kind.
        """
        try:
            settings, axis, span = dict(choices["settings"]), int(choices["axis"]), [int(i) for i in choices["span"]]
            unchecked = [{int(index) for index in indices} for indices in choices["unchecked"]]
            first, stop = span
        except (KeyError, TypeError, ValueError):
            raise ProblemError("The choices can't be read: the file isn't a session, or it is damaged.") from None
        self.settings.apply_choices(settings)
        self.query.axis = axis
        self.query.span = first, stop
        for annotated, indices in zip(self.supports.annotated, unchecked, strict=False):
            annotated.unchecked = indices
        self._on_choices_changed()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Let go of the viewer and its layers; Qt calls this."""
        self._connections.close()
        self.supports.close_layers()
        super().closeEvent(event)

    def _used(self) -> list[dict[int, tuple[int, ...]]]:
        """For each support volume the slices that a run would use, and their classes."""
        checked = [annotated.checked for annotated in self.supports.annotated]
        return choose_supports(checked, self.settings.n_support.value)

    def _unpinned_request(self, used: Sequence[ClassesBySlice]) -> LayerRequest:
        if not any(isinstance(layer, Image) for layer in self._viewer.layers):
            raise ProblemError("There is no image: drop a volume into napari, or take File > Open Sample.")
        self.pairs.check()
        if self.supports.problem:
            raise ProblemError(self.supports.problem)
        annotated = self.supports.annotated
        if not annotated:
            raise ProblemError("There is no support: choose an image and its labels.")
        if not all(each.is_known for each in annotated):
            raise ProblemError(_WAIT)
        slices, layer = self.query.slices(), self.query.layer
        assert layer is not None
        return request_from(annotated, used, layer, slices, self.settings.config())

    def _on_layer_inserted(self, event: Any) -> None:
        self._follow_data(event.value)
        self._on_layers_changed()

    def _on_layer_removed(self, event: Any) -> None:
        self._connections.cut(event.value.events.data)
        self._on_layers_changed()

    def _follow_data(self, layer: Layer) -> None:
        if isinstance(layer, Image | Labels):
            self._connections.connect(layer.events.data, self._on_layers_changed)

    def _on_layers_changed(self, _: object = None) -> None:
        self.pairs.refresh()
        self.query.refresh()
        self._on_inputs_changed()

    def _on_point_moved(self, _: object) -> None:
        """Axes that aren't seen, such as time, stand where the viewer stands."""
        note = self.query.note.text()
        self.query.update_note()
        if note != self.query.note.text() or not all(each.is_current() for each in self.supports.annotated):
            self._on_inputs_changed()

    def _on_inputs_changed(self) -> None:
        self.supports.show_pairs(self.pairs.pairs, self.query.axis)
        self._on_choices_changed()

    def _on_choices_changed(self) -> None:
        n_checked = sum(len(annotated.checked) for annotated in self.supports.annotated)
        first, stop = self.query.span
        self.settings.offer(n_checked, max(stop - first, 0) if self.query.layer is not None else 0)
        used = self._used()
        self.supports.show_used(used)
        self.run_bar.set_problem(self._problem(used))

    def _problem(self, used: Sequence[ClassesBySlice]) -> str:
        try:
            self._unpinned_request(used)
        except RevSAM2Error as error:
            return str(error)
        return ""

    def _on_run_clicked(self) -> None:
        try:
            request = self.request()
        except RevSAM2Error as error:
            self.run_bar.set_problem(str(error))
        else:
            self.run_requested.emit(request)
