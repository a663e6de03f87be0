"""The wheel scrolls a form, and changes nothing in the fields that it passes."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QWidget


class WheelGuard(QObject):
    """Sends the wheel's turns on a form's combo and spin boxes to what is around them.

    Parameters
    ----------
    form : QWidget
        Where the fields are, already.
    """

    def __init__(self, form: QWidget) -> None:
        super().__init__(form)
        for kind in (QComboBox, QAbstractSpinBox):
            for field in form.findChildren(kind):
                field.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Keep a turn of the wheel from a field; Qt calls this."""
        if event is None or event.type() != QEvent.Type.Wheel:
            return bool(super().eventFilter(watched, event))
        event.ignore()
        return True
