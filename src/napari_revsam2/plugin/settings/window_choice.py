"""Which grey values the model sees as black and white: percentiles, what napari shows, or a CT window."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, PRESETS, IntensityWindow

_PERCENTILE, _CUSTOM = "percentile", "custom"
_PERCENTILES_HELP = "Each volume's own percentiles: for MR, and when in doubt."
_SEEN_HELP = "Each layer's own contrast limits in napari: the model sees what you see."
_PERCENTILE_HELP = "Percentiles of each volume that become black and white: %s."
_CUSTOM_HELP = "Grey values (CT: Hounsfield units): %s of the window, the same for all volumes."


class WindowChoice(QWidget):
    """The window, as `napari_revsam2.settings.intensity_window.IntensityWindow.parse` reads it.

    Attributes
    ----------
    changed : Signal()
        The user chose another one.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build_fields()
        self._build_layout()
        self.box.currentIndexChanged.connect(self._on_kind_chosen)
        for number in (*self.percentiles, *self.custom):
            number.valueChanged.connect(self.changed)
        self._show_numbers()

    def _build_fields(self) -> None:
        self.box = QComboBox(self)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.addItem("percentiles", _PERCENTILE)
        self.box.addItem("what you see", CONTRAST_LIMITS)
        for name, (level, width) in PRESETS.items():
            self.box.addItem(f"CT {name} ({level:g} / {width:g})", name)
        self.box.addItem("level and width ...", _CUSTOM)
        self.percentiles = self._numbers((0, 100), (0.5, 99.5), ("the lower", "the upper"), _PERCENTILE_HELP, " %")
        self.custom = self._numbers((-1e6, 1e6), (40, 400), ("the level (middle)", "the width"), _CUSTOM_HELP, "")
        self.custom[1].setMinimum(0.01)
        for place, text in enumerate((_PERCENTILES_HELP, _SEEN_HELP)):
            self.box.setItemData(place, text, Qt.ItemDataRole.ToolTipRole)

    def _numbers(
        self,
        bounds: tuple[float, float],
        values: tuple[float, float],
        names: tuple[str, str],
        text: str,
        suffix: str,
    ) -> tuple[QDoubleSpinBox, QDoubleSpinBox]:
        boxes = QDoubleSpinBox(self), QDoubleSpinBox(self)
        for box, value, name in zip(boxes, values, names, strict=True):
            box.setRange(*bounds)
            box.setValue(value)
            box.setSuffix(suffix)
            box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
            box.setToolTip(text % name)
        return boxes

    def _build_layout(self) -> None:
        numbers = QHBoxLayout()
        for box in (*self.percentiles, *self.custom):
            numbers.addWidget(box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box)
        layout.addLayout(numbers)

    @property
    def native(self) -> QWidget:
        """The Qt widget."""
        return self

    @property
    def value(self) -> str:
        """The window as text."""
        kind: str = self.box.currentData()
        if kind == _PERCENTILE:
            low, high = (box.value() for box in self.percentiles)
            return f"percentile:{low:g},{high:g}"
        if kind == _CUSTOM:
            level, width = (box.value() for box in self.custom)
            return f"{level:.10g},{width:.10g}"
        return kind

    @value.setter
    def value(self, text: str) -> None:
        """Show a window.

        Raises
        ------
        ProblemError
            When the text is no window.
        """
        window = IntensityWindow.parse(text)
        kind = _PERCENTILE if window.percentiles else text if self.box.findData(text) >= 0 else _CUSTOM
        numbers = window.percentiles or ()
        boxes = self.percentiles
        if kind == _CUSTOM and window.fixed:
            low, high = window.fixed
            boxes, numbers = self.custom, ((low + high) / 2, high - low)
        with QSignalBlocker(self):
            for box, number in zip(boxes, numbers, strict=False):
                box.setValue(number)
            self.box.setCurrentIndex(self.box.findData(kind))
        self._show_numbers()

    def _on_kind_chosen(self) -> None:
        self._show_numbers()
        self.changed.emit()

    def _show_numbers(self) -> None:
        for kind, boxes in ((_PERCENTILE, self.percentiles), (_CUSTOM, self.custom)):
            for box in boxes:
                box.setVisible(self.box.currentData() == kind)
