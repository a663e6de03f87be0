"""The plot of pi."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_revsam2.plugin.run.run_state import RunState, with_selected
from napari_revsam2.plugin.scores.score_plot import ScorePlot, _contrast

from .conftest import COLORS, FIRST, SCORES, state


@pytest.fixture
def plot(qtbot) -> ScorePlot:
    plot = ScorePlot()
    qtbot.addWidget(plot)
    plot.resize(380, 240)
    plot.set_theme("dark")
    plot.show_state(state(), COLORS, FIRST)
    with qtbot.waitExposed(plot):
        plot.show()
    return plot


def test_a_curve_has_the_scores_at_the_numbers_that_slices_have_in_the_query_layer(plot):
    numbers, scores = plot._curves[1][0].getData()
    np.testing.assert_array_equal(numbers, FIRST + np.arange(len(SCORES)))
    np.testing.assert_array_equal(scores, SCORES)


def test_conditional_slices_are_marked_those_without_a_score_at_the_bottom(plot):
    plot.show_state(with_selected(state(), 1, (1, 3)), COLORS, FIRST)
    numbers, heights = plot._curves[1][1].getData()
    assert (numbers.tolist(), heights.tolist()) == ([FIRST + 1, FIRST + 3], [0.9, 0.0])


def test_a_click_is_on_the_nearest_slice_and_one_with_shift_on_its_mark(plot, qtbot):
    clicked, toggled = [], []
    plot.slice_clicked.connect(clicked.append)
    plot.conditional_clicked.connect(toggled.append)
    for modifier in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
        place = plot._view.mapFromScene(plot.place_of(FIRST + 4, 0.6))
        qtbot.mouseClick(plot._view.viewport(), Qt.MouseButton.LeftButton, modifier, place)
        qtbot.wait(20)
    assert (clicked, toggled) == ([FIRST + 4], [FIRST + 4])


def test_without_a_run_no_place_is_a_slice(plot):
    place = plot.place_of(FIRST + 4, 0.6)
    assert plot.slice_at(place) == FIRST + 4
    plot.show_state(RunState(), {}, 0)
    assert plot.slice_at(place) is None
    assert not plot._curves


def test_the_line_is_at_the_current_slice_or_gone(plot):
    plot.set_current(FIRST + 2)
    assert plot._current.isVisible()
    assert plot._current.value() == FIRST + 2
    plot.set_current(None)
    assert not plot._current.isVisible()


def test_hover_tells_slice_score_and_whether_it_is_conditional(plot):
    assert plot.described(FIRST + 1) == "slice 11\nclass 1: π 0.90, conditional"
    assert plot.described(FIRST + 3) == "slice 13"
    assert plot.slice_at(QPointF(-50, -50)) is None


def test_the_text_of_a_hover_stays_when_the_mouse_rests(plot, qtbot):
    view = plot._view
    place = view.mapFromScene(plot.place_of(FIRST + 1, 0.6))
    qtbot.mouseMove(view.viewport(), place)
    qtbot.waitUntil(lambda: QToolTip.text() == plot.described(FIRST + 1))
    rest = QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
    QApplication.sendEvent(view.viewport(), rest)
    qtbot.wait(500)  # Qt takes its time to hide one
    assert QToolTip.isVisible()
    assert QToolTip.text() == plot.described(FIRST + 1)
    plot._on_hovered(QPointF(-50, -50))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_many_updates_add_no_items_and_classes_that_are_gone_take_theirs_along(plot):
    plot.show_state(state((1, 2)), COLORS, FIRST)
    items = len(plot._plot.items)
    for _ in range(50):
        plot.show_state(state((1, 2)), COLORS, FIRST)
    assert len(plot._plot.items) == items
    plot.show_state(state(), COLORS, FIRST)
    assert len(plot._plot.items) == items - 2


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_plot_has_the_colours_of_the_theme(plot, theme):
    plot.set_theme(theme)
    colours = get_theme(theme)
    assert plot._view.backgroundBrush().color().name() == colours.background.as_hex(format="long")
    assert plot._plot.getAxis("left").textPen().color().name() == colours.text.as_hex(format="long")


@pytest.mark.parametrize(("theme", "class_colour"), [("dark", (0.47, 0.15, 0.02)), ("light", (0.95, 0.9, 0.7))])
def test_a_class_as_dark_or_light_as_the_window_is_still_seen_in_the_plot(plot, theme, class_colour):
    plot.show_state(state(), {1: (*class_colour, 1.0)}, FIRST)
    plot.set_theme(theme)
    curve = np.array(plot._curves[1][0].opts["symbolBrush"].getRgbF()[:3])
    background = np.array(plot._view.backgroundBrush().color().getRgbF()[:3])
    assert _contrast(curve, background) >= 3
    assert _contrast(np.array(class_colour), background) < 3


def test_a_colour_that_is_seen_is_left_as_the_layer_has_it(plot):
    assert plot._curves[1][0].opts["symbolBrush"].getRgbF()[:3] == pytest.approx((1, 0, 0), abs=0.01)
