"""What a run tells while it goes on."""

from __future__ import annotations

import weakref
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from napari_revsam2.engine.events import Notice, RunFinished, SliceSegmented, Stage, result_of
from napari_revsam2.settings.method import MethodSettings

FINISHED = RunFinished(np.zeros((1, 2, 2), np.uint8), (), MethodSettings())


def test_a_mask_is_where_logits_are_positive():
    event = SliceSegmented(Stage.FORWARD, 1, 0, np.array([[-1.0, 0.0, 1e-6, 3.0]], np.float32))
    assert event.mask.tolist() == [[False, False, True, True]]


def test_every_stage_has_a_name_for_people():
    names = [stage.description for stage in Stage]
    assert len(set(names)) == len(Stage) == 4


def test_an_event_can_not_be_changed():
    with pytest.raises(FrozenInstanceError):
        Notice("Look.").text = "Don't."


def test_the_result_is_the_last_event_and_the_others_are_let_go():
    seen = []

    def events():
        for number in range(3):
            event = Notice(str(number))
            seen.append(weakref.ref(event))
            yield event
            del event
        yield FINISHED

    assert result_of(events()) is FINISHED
    assert [ref() for ref in seen] == [None] * 3
