"""A combo box of the viewer's layers of one kind that follows the viewer and keeps its choice by identity."""

from __future__ import annotations

from typing import Any, cast

from magicgui.widgets import ComboBox, create_widget
from napari.components import LayerList
from napari.layers import Layer
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QComboBox, QWidget


class LayerChoice(QObject):
    """A layer of one kind, or none.

    magicgui's combo box knows its choices by their names, so a layer that is renamed would lose its place: `show_layer`
    puts it back.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    kind : type
        Image or Labels.
    tooltip : str
        What the layer is for.
    parent : QWidget
        Where it lives.

    Attributes
    ----------
    changed : Signal()
        The user chose.
    """

    changed = Signal()

    def __init__(self, layers: LayerList, kind: type[Layer], tooltip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._layers = layers
        self._kind = kind
        options = {"choices": self._choices, "nullable": True, "tooltip": tooltip}
        self._combo = cast("ComboBox", create_widget(annotation=kind, options=options))
        self.native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.native.setMinimumContentsLength(6)
        self._combo.changed.connect(self._on_changed)

    @property
    def native(self) -> QComboBox:
        """The Qt widget."""
        combo: QComboBox = self._combo.native
        return combo

    @property
    def layer(self) -> Any:
        """The chosen layer or None."""
        return self._combo.value

    def show_layer(self, layer: Layer | None) -> None:
        """Choose among the layers that the viewer has now, without telling; one that is gone counts as none."""
        with self._combo.changed.blocked():
            self._combo.reset_choices()
            self._combo.value = layer if layer in self._combo.choices else None

    def _choices(self, _: object) -> list[Layer]:
        return [layer for layer in self._layers if isinstance(layer, self._kind)]

    def _on_changed(self, _: object) -> None:
        self.changed.emit()
