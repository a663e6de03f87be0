"""The settings of a run: made from `RevSAM2Config`, and kept from session to session."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from textwrap import fill
from typing import Any, Protocol, cast

from magicgui.widgets import create_widget
from qtpy.QtCore import QSettings, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_revsam2.plugin.inputs.inputs import Inputs, choose_settings, refuse_settings
from napari_revsam2.plugin.layers.wheel_guard import WheelGuard
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.option import Option, options_of
from napari_revsam2.vocabulary.errors import CheckpointError, RevSAM2Error

from .checkpoint_choice import CheckpointChoice
from .count_choice import CountChoice
from .window_choice import WindowChoice

_OPTIONS = {option.name: option for option in options_of(RevSAM2Config)}
_DEFAULTS = RevSAM2Config()
_MAIN = ("n_support", "top_k", "mode", "window", "checkpoint", "device")
"""Options that everybody meets; the others are behind 'Advanced'."""
_OPEN, _CLOSED = "▾ Advanced", "▸ Advanced"
_DEVICES = {
    "auto": "Runs on a graphics card if PyTorch finds one, else on the processor.",
    "cpu": "Runs on the processor, where a large SAM 2 takes up to a minute a slice.",
    "cuda": "Runs on an NVIDIA graphics card, quick with all that fits its memory.",
    "mps": "Runs on the graphics part of an Apple chip, quick with all that fits the memory.",
}
"""What to expect of a device."""


class Choice(Protocol):
    """A widget for one option: magicgui's, or one of ours that is alike."""

    value: Any

    @property
    def changed(self) -> Any:
        """Signal: the user chose something else."""

    @property
    def native(self) -> Any:
        """The Qt widget."""


class SettingsForm(QWidget):
    """All options of `RevSAM2Config`.

    Parameters
    ----------
    stored : QSettings
        Where choices come from and go to. A checkpoint that is a file stays out: its path is nobody's business.
    parent : QWidget, optional
        Where the form is.

    Attributes
    ----------
    fields : dict of str to Choice
        The widget of each option.
    wished : Signal(Wish)
        The user chose something else.
    """

    wished = Signal(object)

    def __init__(self, stored: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stored = stored
        self.n_support = CountChoice(_OPTIONS["n_support"].minimum, _DEFAULTS.n_support, self)
        self.top_k = CountChoice(_OPTIONS["top_k"].minimum, _DEFAULTS.top_k, self)
        self.checkpoint = CheckpointChoice(self)
        ours: dict[str, Choice] = {
            "n_support": self.n_support,
            "top_k": self.top_k,
            "window": WindowChoice(self),
            "checkpoint": self.checkpoint,
        }
        self.fields = {name: ours[name] if name in ours else _made_from(_OPTIONS[name]) for name in _OPTIONS}
        self._build_layout()
        WheelGuard(self)
        self.apply_choices({name: stored.value(name) for name in self.fields})
        for field in self.fields.values():
            field.changed.connect(self._on_changed)

    def _build_layout(self) -> None:
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        shown, hidden = _form_layout(), _form_layout()
        for name, option in _OPTIONS.items():
            self.fields[name].native.setToolTip(fill(option.help, 80))
            (shown if name in _MAIN else hidden).addRow(option.label, self.fields[name].native)
        shown.addRow(self.note)
        content = QWidget(self)
        content.setLayout(hidden)
        # Its own arrows are drawn in the system's colours, which can't be seen on napari's dark theme.
        self.advanced = QCollapsible(_CLOSED, self, expandedIcon=QIcon(), collapsedIcon=QIcon())
        self.advanced.setContent(content)
        self.advanced.toggleButton().setStyleSheet("text-align: left; border: none; background: transparent;")
        self.advanced.toggled.connect(self._on_advanced_toggled)
        self.advanced.collapse(animate=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(shown)
        layout.addWidget(self.advanced)

    def config(self) -> RevSAM2Config:
        """Read the settings.

        Raises
        ------
        RevSAM2Error
            When they can't be: the window's numbers are the wrong way round, or the checkpoint's file is gone.
        """
        values = {name: _typed(name, field.value) for name, field in self.fields.items()}
        if not self.checkpoint.chosen.is_available:
            raise CheckpointError("The file of the checkpoint is no longer there: choose another checkpoint.")
        return RevSAM2Config(**values)

    def wish(self, inputs: Inputs) -> Inputs:
        """Put what is chosen into the inputs, or why it isn't valid."""
        try:
            return choose_settings(inputs, self.config())
        except RevSAM2Error as error:
            return refuse_settings(inputs, str(error))

    def choices(self) -> dict[str, Any]:
        """List what was chosen as plain values; a checkpoint that is a file is left out."""
        values = {name: field.value for name, field in self.fields.items()}
        if self.checkpoint.chosen.is_private:
            del values["checkpoint"]
        return values

    def apply_choices(self, choices: Mapping[str, Any]) -> None:
        """Take what was chosen before; what is missing, unknown or can't be is passed over."""
        for name, field in self.fields.items():
            if choices.get(name) is None:
                continue
            try:
                field.value = _plain(_typed(name, choices[name]))
            except (ValueError, TypeError, RevSAM2Error):
                continue
        self._update_note()

    def offer(self, n_painted: int, n_query: int) -> None:
        """Bound N by the painted slices that are checked, and k by the slices of the query."""
        self.n_support.offer(n_painted)
        self.top_k.offer(n_query)

    def _update_note(self) -> None:
        self.note.setText(f"{self.checkpoint.chosen.about}. {_DEVICES[self.fields['device'].value]}")

    def _on_advanced_toggled(self, is_open: bool) -> None:
        self.advanced.setText(_OPEN if is_open else _CLOSED)

    def _on_changed(self) -> None:
        for name, value in self.choices().items():
            self._stored.setValue(name, value)
        self._update_note()
        self.wished.emit(self.wish)


def _made_from(option: Option) -> Choice:
    """Make the widget of an option that has nothing special about it."""
    choices = _devices_of_this_system() if option.name == "device" else option.choices
    limits: dict[str, Any] = {"choices": choices} if choices else {"min": option.minimum, "max": option.maximum}
    return cast("Choice", create_widget(value=_plain(option.default), options=limits))


def _devices_of_this_system() -> list[str]:
    """List the devices that may be here; whether they are, only torch knows."""
    absent = "cuda" if sys.platform == "darwin" else "mps"
    return [name for name in _DEVICES if name != absent]


def _typed(name: str, value: Any) -> Any:
    """Bring a value to its option's type; an ini file knows only text."""
    return type(getattr(_DEFAULTS, name))(value)


def _plain(value: Any) -> Any:
    """Of a member of an Enum, its value."""
    return getattr(value, "value", value)


def _form_layout() -> QFormLayout:
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(2)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout
