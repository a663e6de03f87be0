"""A number out of those that there are."""

from __future__ import annotations

import pytest

from napari_revsam2.plugin.settings.count_choice import CountChoice


@pytest.fixture
def count(qtbot) -> CountChoice:
    count = CountChoice(minimum=1, wanted=10)
    qtbot.addWidget(count)
    count.offer(100)
    return count


def test_with_enough_to_choose_from_it_shows_what_is_wanted(count):
    assert (count.value, count.box.text()) == (10, "10 of 100")


def test_with_fewer_it_shows_fewer_and_remembers_what_was_wanted(count):
    count.offer(3)
    assert (count.value, count.box.text()) == (10, "3 of 3")
    count.offer(12)
    assert count.box.text() == "10 of 12"


def test_with_nothing_to_choose_from_it_shows_the_least_and_is_disabled(count):
    count.offer(0)
    assert count.box.value() == 1
    assert not count.box.isEnabled()


def test_an_offer_tells_nobody_and_a_choice_does(qtbot, count):
    with qtbot.assertNotEmitted(count.changed):
        count.offer(3)
    with qtbot.waitSignal(count.changed):
        count.box.setValue(2)
    assert count.value == 2


def test_less_than_the_least_is_never_wanted(count):
    count.value = 0
    assert count.value == 1
