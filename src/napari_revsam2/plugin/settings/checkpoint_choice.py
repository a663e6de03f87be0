"""Which network computes, what each one is, and whether it is available. Doesn't load torch."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QMessageBox, QWidget

from napari_revsam2.sam2_backend.checkpoints.checkpoint import Checkpoint, find_checkpoint, known_checkpoints
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint

from .checkpoint_download import CheckpointDownload, is_wanted

_FILE = ""
_FILTER = "Checkpoints (*.safetensors *.pt)"


class CheckpointChoice(QComboBox):
    """A known checkpoint or a file of weights.

    Attributes
    ----------
    changed : Signal()
        The user chose another one.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._before = 0
        for checkpoint in known_checkpoints().values():
            self.addItem("", checkpoint.name)
            self._show(checkpoint)
        self.addItem("File ...", _FILE)
        self.activated.connect(self._on_activated)

    @property
    def native(self) -> QWidget:
        """The Qt widget."""
        return self

    @property
    def value(self) -> str:
        """Name of a known checkpoint, or the path of a file."""
        value: str = self.currentData()
        return value

    @value.setter
    def value(self, text: str) -> None:
        """Choose a checkpoint by name or path; one that isn't available is not chosen."""
        checkpoint = find_checkpoint(text)
        if not checkpoint.is_available:
            return
        if self.findData(text) < 0:
            self.insertItem(self.count() - 1, checkpoint.name, text)
        self._before = self.findData(text)
        self.setCurrentIndex(self._before)

    @property
    def chosen(self) -> Checkpoint:
        """The chosen checkpoint."""
        return find_checkpoint(self.value)

    def _show(self, checkpoint: Checkpoint) -> None:
        """Say of an item what it is and whether it is available."""
        place = self.findData(checkpoint.name)
        about = f"{checkpoint.about}. Licence: {checkpoint.licence}."
        if not checkpoint.is_available:
            about += f" Choose it to download it (about {checkpoint.megabytes} MB); you are asked before."
        self.setItemText(place, checkpoint.name if checkpoint.is_available else f"{checkpoint.name} (download)")
        self.setItemData(place, about, Qt.ItemDataRole.ToolTipRole)

    def _offer(self, published: PublishedCheckpoint) -> None:
        if is_wanted(published, self):
            download = CheckpointDownload(published, self)
            download.arrived.connect(self._on_arrived)
            download.failed.connect(self._on_failed)

    def _on_arrived(self, name: str) -> None:
        self._show(find_checkpoint(name))
        self.value = name
        self.changed.emit()

    def _on_failed(self, sentence: str) -> None:
        QMessageBox.warning(self, "Download a checkpoint", sentence)

    def _on_activated(self) -> None:
        if self.value == _FILE:
            path, _ = QFileDialog.getOpenFileName(self, "Choose a checkpoint", "", _FILTER)
            self.setCurrentIndex(self._before)
            if not path:
                return
            self.value = path
        elif (wanted := PUBLISHED.get(self.value)) and not wanted.is_available:
            self.setCurrentIndex(self._before)
            self._offer(wanted)
            return
        self._before = self.currentIndex()
        self.changed.emit()
