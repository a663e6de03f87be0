"""Save and load results, sessions, support sets and scores: dialogs, and words when a file can't be used."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QFileDialog, QMenu, QToolButton

from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.plugin.layers.metadata import files_of
from napari_revsam2.plugin.run.run_controller import RunController
from napari_revsam2.vocabulary.errors import RevSAM2Error
from napari_revsam2.volume_files.protected_inputs import ProtectedInputs
from napari_revsam2.volume_files.scores_file import write_scores

from .session import kept_session, kept_supports, open_session, open_supports
from .session_file import load_session, load_supports, save_session, save_supports
from .volume_writer import ENDINGS, write_labels_layer

_KIND = "RevSAM2 (*.npz)"
_VOLUME = f"Volume ({' '.join(f'*{ending}' for ending in ENDINGS)})"


class SessionMenu(QToolButton):
    """A button with what can be saved and loaded.

    Each action has a method that takes a path and returns whether it worked; the form says what went wrong.
    """

    def __init__(self, viewer: ViewerModel, form: InputForm, controller: RunController) -> None:
        super().__init__()
        self._viewer, self._form, self._controller = viewer, form, controller
        self.setText("File")
        self.setMinimumWidth(56)  # the menu's arrow takes part of it
        self.setToolTip("Save the result; save or load a session (supports, choices, result), or painted slices alone.")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMenu(self._menu())

    def _menu(self) -> QMenu:
        menu = QMenu(self)  # of methods: a lambda in a connection keeps the whole widget alive
        menu.addAction("Save result ...", self.ask_and_save_result)
        menu.addSeparator()
        menu.addAction("Save session ...", self.ask_and_save_session)
        menu.addAction("Load session ...", self.ask_and_load_session)
        menu.addSeparator()
        menu.addAction("Save painted slices ...", self.ask_and_save_supports)
        menu.addAction("Load painted slices ...", self.ask_and_load_supports)
        return menu

    def ask_and_save_result(self) -> None:
        """Ask for a file and write the result layer into it."""
        self._save("Save result", "result.nii.gz", _VOLUME, self.save_result)

    def ask_and_save_session(self) -> None:
        """Ask for a file and write supports, choices and result into it."""
        self._save("Save session", "session.npz", _KIND, self.save_session)

    def ask_and_load_session(self) -> None:
        """Ask for a file and bring its session back."""
        self._load("Load session", self.load_session)

    def ask_and_save_supports(self) -> None:
        """Ask for a file and write the painted slices into it."""
        self._save("Save painted slices", "supports.npz", _KIND, self.save_supports)

    def ask_and_load_supports(self) -> None:
        """Ask for a file and add its painted slices as supports."""
        self._load("Load painted slices", self.load_supports)

    def ask_and_save_scores(self) -> None:
        """Ask for a file and write the scores of all classes and slices into it."""
        self._save("Save scores", "scores.csv", "CSV (*.csv)", self.save_scores)

    def save_result(self, path: Path) -> bool:
        """Write the result layer as NIfTI or TIFF, on the query's own grid."""
        return self._saved(path, lambda: self._write_result(path), "Result saved.")

    def save_session(self, path: Path) -> bool:
        """Write supports, choices and result."""
        done = "Session saved." if self._controller.result is not None else "Session saved. It holds no result."
        return self._saved(path, lambda: save_session(path, kept_session(self._form, self._controller)), done)

    def load_session(self, path: Path) -> bool:
        """Bring a session back."""
        return self._tried(lambda: self._open_session(path))

    def save_supports(self, path: Path) -> bool:
        """Write the painted slices, for the next patient."""
        return self._saved(path, lambda: save_supports(path, kept_supports(self._form)), "Painted slices saved.")

    def load_supports(self, path: Path) -> bool:
        """Add painted slices as support pairs."""
        return self._tried(
            lambda: open_supports(self._viewer, self._form, load_supports(path)), "The painted slices are supports now."
        )

    def save_scores(self, path: Path) -> bool:
        """Write the scores of the last run."""
        return self._saved(path, lambda: self._write_scores(path), "Scores saved.")

    def _open_session(self, path: Path) -> str:
        session = load_session(path)
        open_session(self._viewer, self._form, self._controller, session)
        if session.run is not None and session.run.partial:
            return "Session loaded. Its result is partial: the run was canceled or failed."
        return "Session loaded."

    def _write_result(self, path: Path) -> None:
        if self._controller.result is None:
            raise RevSAM2Error("There is no result that could be saved: run first.")
        data, attributes, _ = self._controller.result.layer.as_layer_data_tuple()
        write_labels_layer(str(path), data, attributes)

    def _write_scores(self, path: Path) -> None:
        result, state = self._controller.result, self._controller.state
        if result is None:
            raise RevSAM2Error("There is no result whose scores could be saved: run first.")
        request = self._controller.request
        assert request is not None
        unknown = np.full(len(request.slices), np.nan)
        scores = {label: state.scores.get(label, unknown) for label in request.labels}
        write_scores(path, result.segmentation(), scores, state.selected, first_slice=request.slices.start)

    def _saved(self, path: Path, action: Callable[[], object], done: str) -> bool:
        def check_and_save() -> None:
            inputs = self._form.inputs
            layers = filter(None, (inputs.query, *chain(*inputs.pairs)))
            ProtectedInputs.of(chain.from_iterable(map(files_of, layers))).check(path)
            action()

        return self._tried(check_and_save, done)

    def _tried(self, action: Callable[[], object], done: str = "") -> bool:
        """Show ``done``, or without it what the action returns."""
        try:
            outcome = action()
        except RevSAM2Error as error:
            self._form.run_bar.show_message(str(error))
            return False
        self._form.run_bar.show_message(done or str(outcome))
        return True

    def _save(self, title: str, name: str, kind: str, action: Callable[[Path], bool]) -> None:
        dialog = QFileDialog(self, title, "", kind)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(name.partition(".")[2])  # a file without an ending isn't found when it is to be loaded
        dialog.selectFile(name)
        if dialog.exec():
            action(Path(dialog.selectedFiles()[0]))
        dialog.deleteLater()

    def _load(self, title: str, action: Callable[[Path], bool]) -> None:
        path, _ = QFileDialog.getOpenFileName(self, title, "", _KIND)
        if path:
            action(Path(path))
