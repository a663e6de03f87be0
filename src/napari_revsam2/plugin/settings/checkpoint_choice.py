"""Which network computes, what each one is, and whether it is here. Doesn't load torch."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QMessageBox, QWidget

from napari_revsam2.sam2_backend.checkpoints.bundled import REVSAM2_MINI
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint

from .checkpoint_download import CheckpointDownload, is_wanted

EMBEDDED = {REVSAM2_MINI.name: REVSAM2_MINI.about}
"""Checkpoints that ship with this package, and what they are."""
_FILE = "file"
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
        for name, about in EMBEDDED.items():
            self.addItem(name, name)
            self.setItemData(self.count() - 1, about, Qt.ItemDataRole.ToolTipRole)
        for published in PUBLISHED.values():
            self.addItem("", published.name)
            self._show_published(published)
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
    def value(self, checkpoint: str) -> None:
        """Choose a checkpoint by name or path; one that isn't here is not chosen."""
        place = self.findData(checkpoint)
        if place < 0 and Path(checkpoint).is_file():
            place = self.count() - 1
            self.insertItem(place, Path(checkpoint).name, checkpoint)
        if place >= 0 and (checkpoint not in PUBLISHED or PUBLISHED[checkpoint].is_here):
            self.setCurrentIndex(place)
            self._before = place

    @property
    def about(self) -> str:
        """What the chosen one is."""
        if self.value in PUBLISHED:
            return PUBLISHED[self.value].about
        return EMBEDDED.get(self.value, "Weights from a file: their size decides how long a slice takes")

    @property
    def is_here(self) -> bool:
        """Whether the weights of the chosen one are on this machine."""
        if self.value in PUBLISHED:
            return PUBLISHED[self.value].is_here
        return self.value in EMBEDDED or Path(self.value).is_file()

    @property
    def is_file(self) -> bool:
        """Whether a file is chosen: its path must not be stored."""
        return self.value not in EMBEDDED and self.value not in PUBLISHED

    def _show_published(self, published: PublishedCheckpoint) -> None:
        """Say of an item whether it is here."""
        place = self.findData(published.name)
        about = f"{published.about}. Licence: {published.licence}."
        if not published.is_here:
            about += f" Choose it to download it (about {published.megabytes} MB); you are asked before."
        self.setItemText(place, published.name if published.is_here else f"{published.name} (download)")
        self.setItemData(place, about, Qt.ItemDataRole.ToolTipRole)

    def _offer(self, published: PublishedCheckpoint) -> None:
        if is_wanted(published, self):
            download = CheckpointDownload(published, self)
            download.arrived.connect(self._on_arrived)
            download.failed.connect(self._on_failed)

    def _on_arrived(self, name: str) -> None:
        self._show_published(PUBLISHED[name])
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
        elif not self.is_here:
            wanted = PUBLISHED[self.value]
            self.setCurrentIndex(self._before)
            self._offer(wanted)
            return
        self._before = self.currentIndex()
        self.changed.emit()
