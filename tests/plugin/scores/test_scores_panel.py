"""The buttons under the plot, and the plot in the panel."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_revsam2.plugin.scores.scores_panel import ScoresPanel

from .conftest import COLORS, FIRST, state


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


@pytest.mark.parametrize("name", ["previous", "next", "conditional", "again", "save"])
def test_no_tooltip_is_as_wide_as_the_window(panel, name):
    assert max(map(len, getattr(panel, name).toolTip().splitlines())) <= 80
