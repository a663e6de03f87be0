"""Supports, query, settings and the Run button: shows the inputs and changes them as the user wishes."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QSettings, Qt, Signal
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_revsam2.plugin.inputs.inputs import Inputs, Wish, followed
from napari_revsam2.plugin.inputs.layer_request import LayerRequest
from napari_revsam2.plugin.inputs.resolve import Resolved, resolve
from napari_revsam2.plugin.layers.connections import Connections
from napari_revsam2.plugin.layers.viewer_slice import shown_point, slider_axis
from napari_revsam2.plugin.settings.settings_form import SettingsForm
from napari_revsam2.plugin.supports.support_list import SupportList
from napari_revsam2.plugin.supports.support_pairs import SupportPairs
from napari_revsam2.vocabulary.errors import ProblemError

from .query_form import QueryForm
from .run_bar import RunBar

ORGANISATION = "napari-revsam2"
"""Under which settings are kept on this computer; never names of layers, nor paths."""
_WIDTH = 350
"""Pixels in which everything is to be seen."""


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
    inputs : Inputs
        What is chosen now.
    run_requested : Signal(LayerRequest)
        Run was clicked; painted slices are copied, grey values are still to be read.
    """

    run_requested = Signal(object)

    def __init__(self, viewer: ViewerModel, stored: QSettings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._build(stored if stored is not None else QSettings(ORGANISATION, ORGANISATION))
        self._connect_parts()
        self._connect_viewer()
        self.inputs = Inputs()
        self.change(self.settings.wish)

    def _build(self, stored: QSettings) -> None:
        self.pairs = SupportPairs(self._viewer, self)
        self.supports = SupportList(self._viewer, self)
        self.query = QueryForm(self._viewer, self)
        self.settings = SettingsForm(stored, self)
        self.run_bar = RunBar(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(_scrolled(self, self.pairs, self.supports, self.query, self.settings), stretch=1)
        layout.addWidget(self.run_bar)

    def _connect_parts(self) -> None:
        for part in (self.pairs, self.supports, self.query, self.settings):
            part.wished.connect(self.change)
        self.supports.changed.connect(self._show_resolved)
        self.run_bar.run_clicked.connect(self._on_run_clicked)

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

    def change(self, wish: Wish) -> None:
        """Change the inputs as the user wishes, and show what they are now."""
        self.inputs = followed(wish(self.inputs), tuple(self._viewer.layers), slider_axis(self._viewer))
        self.pairs.show_pairs(self.inputs.pairs)
        self.query.show_inputs(self.inputs)
        self.supports.show_pairs(self.inputs.complete_pairs, self.inputs.axis)
        self._show_resolved()

    def set_inputs(self, inputs: Inputs) -> None:
        """Take all that was chosen elsewhere, as if the user had chosen it here."""
        self.settings.apply_choices(inputs.settings.as_dict())
        self.change(lambda _: self.settings.wish(inputs))

    def request(self) -> LayerRequest:
        """Pin what a run needs: layers renamed, painted on or removed later don't matter to it.

        Raises
        ------
        ProblemError
            When it can't work; the text says why.
        """
        self.change(self.settings.wish)  # a checkpoint's file may be gone by now
        if all(pair.is_known for pair in self.supports.painted):
            self.supports.settle()  # what was painted just before the click counts
        resolved = self._show_resolved()
        if resolved.request is None:
            raise ProblemError(resolved.problem)
        return resolved.request.pinned()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Let go of the viewer and its layers; Qt calls this."""
        self._connections.close()
        self.supports.close_layers()
        self.inputs = Inputs()
        super().closeEvent(event)

    def _show_resolved(self) -> Resolved:
        painted, query = self.supports.painted, self.inputs.query
        resolved = resolve(self.inputs, painted, shown_point(self._viewer, query) if query is not None else None)
        self.settings.offer(resolved.n_checked, resolved.n_query)
        self.supports.show_used(painted, self.inputs, resolved.used)
        self.run_bar.set_problem(resolved.problem)
        return resolved

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
        self.change(lambda inputs: inputs)

    def _on_point_moved(self, _: object) -> None:
        """Axes that aren't seen, such as time, stand where the viewer stands."""
        if self.query.show_note(self.inputs) or not all(each.is_current() for each in self.supports.annotated):
            self._on_layers_changed()

    def _on_run_clicked(self) -> None:
        try:
            request = self.request()
        except ProblemError:
            return  # the reason is beside the button by now
        self.run_requested.emit(request)


def _scrolled(parent: QWidget, pairs: QWidget, supports: QWidget, query: QWidget, settings: QWidget) -> QScrollArea:
    """Put the parts below each other, to be scrolled where there is little room."""
    inputs = QWidget()
    column = QVBoxLayout(inputs)
    column.setContentsMargins(0, 0, 4, 0)
    column.setSpacing(6)
    column.addWidget(pairs)
    column.addWidget(supports, stretch=1)
    column.addWidget(query)
    column.addWidget(QLabel("<b>Settings</b>"))
    column.addWidget(settings)
    scroll = QScrollArea(parent)
    scroll.setMinimumWidth(_WIDTH)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inputs)
    return scroll
