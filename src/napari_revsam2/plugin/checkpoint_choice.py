"""Which network computes, what each one is, and whether it is here. Doesn't load torch."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QWidget

EMBEDDED = {"revsam2-mini": "Ships with this package: small, quick on any processor"}
"""Checkpoints that ship with this package, and what they are."""
_SIZES = {"tiny": 39, "small": 46, "base-plus": 81, "large": 224}
_PUBLISHED_ABOUT = "Meta's network of %d million weights: more exact, slow without a graphics card"
PUBLISHED = {
    f"{family}-hiera-{size}": _PUBLISHED_ABOUT % n for family in ("sam2", "sam2.1") for size, n in _SIZES.items()
}
"""Checkpoints that Meta publishes, and what they are."""

_FILE = "file"
_FLAGS = Qt.ItemDataRole.UserRole - 1
"""Where a combo box keeps what can be done with an item; 0 is nothing."""
_FILTER = "Checkpoints (*.safetensors *.pt)"
_HOW_TO_GET = "Not here: download Meta's file, then choose it with 'File ...'."
_HELP = "The network. Any SAM 2 or SAM 2.1 checkpoint works as a file; nothing is sent anywhere."


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
        for name, about in PUBLISHED.items():
            self._add_missing(name, about)
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
        if place >= 0 and checkpoint not in PUBLISHED:
            self.setCurrentIndex(place)
            self._before = place

    @property
    def about(self) -> str:
        """What the chosen one is."""
        return EMBEDDED.get(self.value, "Weights from a file: their size decides how long a slice takes")

    @property
    def is_file(self) -> bool:
        """Whether a file is chosen: its path must not be stored."""
        return self.value not in EMBEDDED

    def _add_missing(self, name: str, about: str) -> None:
        self.addItem(f"{name} (not here)", name)
        self.setItemData(self.count() - 1, f"{about}. {_HOW_TO_GET}", Qt.ItemDataRole.ToolTipRole)
        self.setItemData(self.count() - 1, 0, _FLAGS)

    def _on_activated(self) -> None:
        if self.value == _FILE:
            path, _ = QFileDialog.getOpenFileName(self, "Choose a checkpoint", "", _FILTER)
            self.setCurrentIndex(self._before)
            if not path:
                return
            self.value = path
        self._before = self.currentIndex()
        self.changed.emit()
