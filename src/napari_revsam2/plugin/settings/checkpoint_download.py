"""A download of published weights in the background, with its progress and a Cancel button."""

from __future__ import annotations

from threading import Event as Flag

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QMessageBox, QProgressDialog, QWidget
from superqt.utils import create_worker

from napari_revsam2.sam2_backend.checkpoints.downloads import download
from napari_revsam2.sam2_backend.checkpoints.published import PublishedCheckpoint

_LOOK_EVERY = 200
"""Milliseconds between two looks at the progress."""
_MEGABYTE = 10**6


def is_wanted(checkpoint: PublishedCheckpoint, parent: QWidget) -> bool:
    """Ask the user, with size, source and licence; nothing is fetched before."""
    text = (
        f"Download {checkpoint.name} (about {checkpoint.megabytes} MB)?\n\n{checkpoint.about}.\n"
        f"Licence: {checkpoint.licence}.\nFrom: {checkpoint.urls[0]}"
    )
    return QMessageBox.question(parent, "Download a checkpoint", text) == QMessageBox.StandardButton.Yes


class CheckpointDownload(QProgressDialog):
    """Downloads a checkpoint from its construction on; doesn't block the window.

    A part that has come when it is canceled, or when its window closes, is kept for the next time.

    Attributes
    ----------
    arrived : Signal(str)
        The checkpoint of that name is available.
    failed : Signal(str)
        It can't be downloaded; a sentence says why.
    """

    arrived = Signal(str)
    failed = Signal(str)

    def __init__(self, checkpoint: PublishedCheckpoint, parent: QWidget) -> None:
        super().__init__(f"Downloading {checkpoint.name} ...", "Cancel", 0, checkpoint.megabytes, parent)
        self.setWindowTitle("Download a checkpoint")
        self.setAutoClose(False)
        self.setAutoReset(False)
        self.setMinimumDuration(0)
        self._name = checkpoint.name
        self._done = self._total = 0
        self._is_canceled = Flag()
        self.canceled.connect(self._is_canceled.set)
        self.destroyed.connect(self._is_canceled.set)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start(_LOOK_EVERY)
        # Errors are ignored by superqt alone, which else raises them in the event loop as well.
        self._worker = create_worker(download, checkpoint, self._note, _start_thread=False, _ignore_errors=True)
        self._worker.returned.connect(self._on_returned)
        self._worker.errored.connect(self._on_errored)
        self._worker.start()
        self.show()

    def _note(self, done: int, total: int) -> None:
        """Take down the progress, on the download's thread."""
        self._done, self._total = done, total
        if self._is_canceled.is_set():
            raise _CanceledError

    def _on_timeout(self) -> None:
        if self._total and not self._is_canceled.is_set():
            self.setMaximum(self._total // _MEGABYTE)
            self.setValue(self._done // _MEGABYTE)

    def _on_returned(self, _: object) -> None:
        self._end()
        self.arrived.emit(self._name)

    def _on_errored(self, error: Exception) -> None:
        self._end()
        if not isinstance(error, _CanceledError):
            self.failed.emit(str(error))

    def _end(self) -> None:
        self._timer.stop()
        self.hide()
        self.deleteLater()


class _CanceledError(Exception):
    """The user doesn't want it any more."""
