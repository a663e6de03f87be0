"""The wheel over a form."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QSpinBox, QWidget

from napari_revsam2.plugin.layers.wheel_guard import WheelGuard


def turn_wheel(widget: QWidget) -> QWheelEvent:
    event = QWheelEvent(
        QPointF(2, 2),
        QPointF(2, 2),
        QPoint(0, 120),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event


@pytest.fixture
def form(qtbot) -> QWidget:
    form = QWidget()
    qtbot.addWidget(form)
    QSpinBox(form).setValue(5)
    choice = QComboBox(form)
    choice.addItems(["a", "b", "c"])
    choice.setCurrentIndex(1)
    return form


def test_fields_change_with_the_wheel_unless_they_are_guarded(form):
    turn_wheel(form.findChild(QSpinBox))
    assert form.findChild(QSpinBox).value() == 6


def test_the_wheel_changes_nothing_in_a_guarded_form_and_is_left_to_what_scrolls(form):
    WheelGuard(form)
    for field in (form.findChild(QSpinBox), form.findChild(QComboBox)):
        assert not turn_wheel(field).isAccepted()
    assert form.findChild(QSpinBox).value() == 5
    assert form.findChild(QComboBox).currentIndex() == 1


def test_a_guarded_field_still_takes_keys(form, qtbot):
    WheelGuard(form)
    qtbot.keyClick(form.findChild(QSpinBox), Qt.Key.Key_Up)
    assert form.findChild(QSpinBox).value() == 6
