"""The dock widget: builds form, scores and controller, and connects them; no logic."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Image
from napari.viewer import Viewer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from napari_revsam2.plugin.files.session_menu import SessionMenu
from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.plugin.layers.connections import Connections
from napari_revsam2.plugin.layers.viewer_slice import show_slice, shown_slice
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_controller import RunController
from napari_revsam2.plugin.run.run_progress import ActivityBar, described
from napari_revsam2.plugin.run.run_state import RunState
from napari_revsam2.plugin.scores.scores_panel import ScoresPanel


class RevSAM2Widget(QWidget):
    """Segment a volume from painted slices of another one.

    Parameters
    ----------
    napari_viewer : Viewer
        The viewer.
    network : KeptNetwork, optional
        Where the network comes from; the package's checkpoints by default.
    """

    def __init__(self, napari_viewer: Viewer, network: KeptNetwork | None = None) -> None:
        super().__init__()
        # napari hands plugins a proxy, behind which no layer is itself.
        self._viewer: ViewerModel = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._was_docked = False
        self._build(network if network is not None else KeptNetwork())
        self._connect()
        self._on_theme_changed()
        self._on_state_changed(self.controller.state)

    def _build(self, network: KeptNetwork) -> None:
        self.controller = RunController(self._viewer.layers, network)
        self.form = InputForm(self._viewer)
        self.scores = ScoresPanel()
        self.sessions = SessionMenu(self._viewer, self.form, self.controller)
        self._activity = ActivityBar(self)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.form)
        splitter.addWidget(self.scores)
        splitter.setStretchFactor(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(splitter)
        self.form.run_bar.add_corner(self.sessions)

    def _connect(self) -> None:
        self.form.run_requested.connect(self.controller.start)
        self.form.run_bar.cancel_clicked.connect(self.controller.cancel)
        self.form.supports.slice_requested.connect(self._on_support_slice_requested)
        self.scores.slice_requested.connect(self._on_query_slice_requested)
        self.scores.conditional_toggled.connect(self.controller.set_conditional)
        self.scores.propagate_again_requested.connect(self.controller.propagate_again)
        self.scores.save_scores_requested.connect(self.sessions.ask_and_save_scores)
        self.controller.state_changed.connect(self._on_state_changed)
        self._connections = Connections()
        self._connections.connect(self._viewer.dims.events.point, self._on_viewer_moved)
        self._connections.connect(self._viewer.events.theme, self._on_theme_changed)
        # However the widget goes, the thread must end and napari must not call what is gone.
        connections, controller = self._connections, self.controller
        self.destroyed.connect(connections.close)
        self.destroyed.connect(controller.close)
        application = QApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(controller.close)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End the run in order and let go of the viewer."""
        self._connections.close()
        self.controller.close()
        self._activity.close()
        self.form.close()
        super().closeEvent(event)

    def event(self, event: QEvent | None) -> bool:
        """Close when napari takes the widget out of its dock: it never comes back."""
        if event is not None and event.type() == QEvent.Type.ParentChange:
            if self._was_docked and self.parent() is None:
                self.close()
            self._was_docked = self.parent() is not None
        return bool(super().event(event))

    def _on_state_changed(self, state: RunState) -> None:
        active = state.phase.is_active
        self.form.run_bar.set_running(active)
        text = described(state, self.controller.seconds_left)
        if active:
            self.form.run_bar.set_progress(text, state.done, state.total)
        elif text:
            self.form.run_bar.show_message(text)
        self.scores.set_ready(self.controller.result is not None and not active)
        request = self.controller.request
        labels, first_slice = (request.labels, request.slices.start) if request is not None else ((), 0)
        self.scores.show_state(state, self._colors(), labels, first_slice)
        self._on_viewer_moved()
        self._activity.show(state)

    def _colors(self) -> dict[int, Any]:
        """Find the RGBA of each class in the result."""
        request, result = self.controller.request, self.controller.result
        if request is None or result is None:
            return {}
        return {label: result.layer.colormap.map(label) for label in request.labels}

    def _query(self) -> tuple[Image, int] | None:
        """Find the query layer of the last run and its slice axis, while the layer is there."""
        request = self.controller.request
        if request is None or request.query_layer not in self._viewer.layers:
            return None
        return request.query_layer, request.slices.axis

    def _on_viewer_moved(self, _: object = None) -> None:
        query = self._query()
        self.scores.set_current(shown_slice(self._viewer, *query) if query else None)

    def _on_query_slice_requested(self, index: int) -> None:
        if query := self._query():
            show_slice(self._viewer, *query, index)

    def _on_support_slice_requested(self, layer: Image, index: int) -> None:
        show_slice(self._viewer, layer, layer.ndim + self.form.inputs.axis, index)

    def _on_theme_changed(self, _: object = None) -> None:
        self.scores.set_theme(self._viewer.theme)
