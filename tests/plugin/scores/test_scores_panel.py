"""The plot of pi and the buttons under it."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_revsam2.plugin.run.run_state import Phase, RunState
from napari_revsam2.plugin.scores.score_plot import _contrast
from napari_revsam2.plugin.scores.scores_panel import ScoresPanel
from napari_revsam2.plugin.scores.worst_slices import worst_slices

SCORES = np.array([0.0, 0.9, 0.2, np.nan, 0.5, 0.0])
FIRST = 10
COLORS = {1: (1.0, 0.0, 0.0, 1.0), 2: (0.0, 1.0, 0.0, 1.0)}


def state(labels=(1,)) -> RunState:
    return RunState(
        Phase.COMPLETED,
        n_slices=len(SCORES),
        scores=MappingProxyType(dict.fromkeys(labels, SCORES)),
        selected=MappingProxyType(dict.fromkeys(labels, (1, 4))),
    )


@pytest.fixture
def panel(qtbot) -> ScoresPanel:
    panel = ScoresPanel()
    qtbot.addWidget(panel)
    panel.resize(380, 320)
    panel.set_theme("dark")
    panel.show_state(state(), COLORS, (1,), FIRST)
    panel.set_ready(True)
    panel.set_current(12)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    panel.close()


def click(panel: ScoresPanel, qtbot, slice_number: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    view = panel.plot._view
    place = view.mapFromScene(panel.plot.place_of(slice_number, 0.6))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, place)
    qtbot.wait(20)


def test_worst_slices_go_up_in_pi_and_those_where_nothing_was_found_come_last():
    assert worst_slices(SCORES) == (2, 4, 1, 0, 5)


def test_a_click_in_the_plot_asks_for_the_nearest_slice(panel, qtbot):
    with qtbot.waitSignal(panel.slice_requested) as asked:
        click(panel, qtbot, 14)
    assert asked.args == [14]


def test_shift_and_click_makes_a_slice_conditional_or_not(panel, qtbot):
    with qtbot.waitSignal(panel.conditional_toggled) as toggled:
        click(panel, qtbot, FIRST + 2, Qt.KeyboardModifier.ShiftModifier)
    assert toggled.args == [1, 2, True]
    with qtbot.waitSignal(panel.conditional_toggled) as toggled:
        click(panel, qtbot, FIRST + 4, Qt.KeyboardModifier.ShiftModifier)
    assert toggled.args == [1, 4, False]


def test_hover_tells_slice_score_and_whether_it_is_conditional(panel):
    assert panel.plot.described(FIRST + 1) == "slice 11\nclass 1: π 0.90, conditional"
    assert panel.plot.described(FIRST + 3) == "slice 13"
    assert panel.plot.slice_at(QPointF(-50, -50)) is None


def test_the_text_of_a_hover_stays_when_the_mouse_rests(panel, qtbot):
    view = panel.plot._view
    place = view.mapFromScene(panel.plot.place_of(FIRST + 1, 0.6))
    qtbot.mouseMove(view.viewport(), place)
    qtbot.waitUntil(lambda: QToolTip.text() == panel.plot.described(FIRST + 1))
    rest = QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), rest)
    qtbot.wait(500)  # Qt takes its time to hide one
    assert QToolTip.isVisible()
    assert QToolTip.text() == panel.plot.described(FIRST + 1)
    panel.plot._on_hovered(QPointF(-50, -50))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_next_worst_begins_with_the_worst_and_previous_goes_back(panel, qtbot):
    asked = []
    panel.slice_requested.connect(asked.append)
    panel.set_current(13)  # has no score
    panel.next.click()
    panel.set_current(asked[-1])
    panel.next.click()
    panel.set_current(asked[-1])
    panel.previous.click()
    assert asked == [12, 14, 12]
    assert panel.place.text() == "π 0.50, 2 of 5"


def test_the_button_follows_the_current_slice_and_toggles_it(panel, qtbot):
    assert not panel.conditional.isChecked()
    panel.set_current(FIRST + 4)
    assert panel.conditional.isChecked()
    with qtbot.waitSignal(panel.conditional_toggled) as toggled:
        panel.conditional.click()
    assert toggled.args == [1, 4, False]


def test_while_a_run_goes_on_nothing_can_be_changed(panel):
    panel.set_ready(False)
    assert not panel.again.isEnabled()
    assert not panel.conditional.isEnabled()
    assert not panel.save.isEnabled()
    assert panel.next.isEnabled()


def test_outside_the_range_there_is_no_slice_to_make_conditional(panel):
    panel.set_current(FIRST - 1)
    assert not panel.conditional.isEnabled()
    panel.set_current(None)
    assert not panel.conditional.isEnabled()
    assert not panel.plot._current.isVisible()


def test_with_two_classes_the_buttons_are_about_the_chosen_one(panel, qtbot):
    assert not panel.class_choice.isVisible()
    panel.show_state(state((1, 2)), COLORS, (1, 2), FIRST)
    assert panel.class_choice.isVisible()
    panel.class_choice.setCurrentIndex(1)
    with qtbot.waitSignal(panel.conditional_toggled) as toggled:
        panel.conditional.click()
    assert toggled.args[0] == 2


def test_many_updates_add_no_items_and_classes_that_are_gone_take_theirs_along(panel):
    panel.show_state(state((1, 2)), COLORS, (1, 2), FIRST)
    items = len(panel.plot._plot.items)
    for _ in range(50):
        panel.show_state(state((1, 2)), COLORS, (1, 2), FIRST)
    assert len(panel.plot._plot.items) == items
    panel.show_state(state(), COLORS, (1,), FIRST)
    assert len(panel.plot._plot.items) == items - 2


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_plot_has_the_colours_of_the_theme(panel, theme):
    panel.set_theme(theme)
    colours = get_theme(theme)
    assert panel.plot._view.backgroundBrush().color().name() == colours.background.as_hex(format="long")
    assert panel.plot._plot.getAxis("left").textPen().color().name() == colours.text.as_hex(format="long")


@pytest.mark.parametrize(("theme", "class_colour"), [("dark", (0.47, 0.15, 0.02)), ("light", (0.95, 0.9, 0.7))])
def test_a_class_as_dark_or_light_as_the_window_is_still_seen_in_the_plot(panel, theme, class_colour):
    panel.show_state(state(), {1: (*class_colour, 1.0)}, (1,), FIRST)
    panel.set_theme(theme)
    curve = np.array(panel.plot._curves[1][0].opts["symbolBrush"].getRgbF()[:3])
    background = np.array(panel.plot._view.backgroundBrush().color().getRgbF()[:3])
    assert _contrast(curve, background) >= 3
    assert _contrast(np.array(class_colour), background) < 3


def test_a_colour_that_is_seen_is_left_as_the_layer_has_it(panel):
    assert panel.plot._curves[1][0].opts["symbolBrush"].getRgbF()[:3] == pytest.approx((1, 0, 0), abs=0.01)


@pytest.mark.parametrize("name", ["previous", "next", "conditional", "again", "save"])
def test_no_tooltip_is_as_wide_as_the_window(panel, name):
    assert max(map(len, getattr(panel, name).toolTip().splitlines())) <= 80
