"""The state of a run, replaced event by event."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.events import (
    BatchFinished,
    Notice,
    RunFinished,
    SliceEmbedded,
    SliceScored,
    SliceSegmented,
    SlicesSelected,
    Stage,
    StageStarted,
    WindowResolved,
)
from napari_revsam2.plugin.run.run_state import (
    Phase,
    RunState,
    canceling,
    continued,
    ended,
    forgotten,
    started,
    update,
    with_conditional,
)
from napari_revsam2.settings.config import RevSAM2Config

WINDOW = WindowResolved((0.0, 1.0), {0: (0.0, 2.0)})


def after(*events, state: RunState | None = None) -> RunState:
    state = started(3) if state is None else state
    for event in events:
        state = update(state, event)
    return state


def test_a_stage_begins_at_zero_slices():
    state = after(StageStarted(Stage.EMBED, None, 7), SliceEmbedded(0, True), StageStarted(Stage.REVERSE, 4, 3))
    assert (state.stage, state.label, state.done, state.total) == (Stage.REVERSE, 4, 0, 3)


@pytest.mark.parametrize(
    "event",
    [SliceEmbedded(0, False), SliceSegmented(Stage.SELF, 1, 0, np.zeros((2, 2), np.float32)), SliceScored(1, 0, 0.5)],
)
def test_each_slice_counts(event):
    assert after(event, event).done == 2


def test_a_batch_without_a_complete_slice_changes_nothing():
    state = after(StageStarted(Stage.REVERSE, 1, 3))
    assert update(state, BatchFinished()) is state


def test_scores_are_known_slice_by_slice_and_earlier_states_keep_theirs():
    first = after(SliceScored(1, 2, 0.25))
    second = after(SliceScored(1, 0, 0.75), state=first)
    np.testing.assert_array_equal(first.scores[1], [np.nan, np.nan, 0.25])
    np.testing.assert_array_equal(second.scores[1], [0.75, np.nan, 0.25])


def test_window_selection_notices_and_device_are_kept():
    finished = RunFinished(np.zeros((3, 2, 2), np.uint8), (), RevSAM2Config(), {"device": "cpu"})
    state = after(WINDOW, SlicesSelected(1, (2, 0)), Notice("One."), Notice("Two."), finished)
    assert state.window == WINDOW
    assert state.selected[1] == (0, 2)
    assert state.notices == ("One.", "Two.")
    assert state.computed_with == {"device": "cpu"}


def test_conditional_slices_are_added_once_in_order_and_taken_away():
    state = with_conditional(with_conditional(with_conditional(RunState(), 1, 5, True), 1, 2, True), 1, 2, True)
    assert state.selected[1] == (2, 5)
    assert with_conditional(state, 1, 5, False).selected[1] == (2,)
    assert with_conditional(state, 1, 4, False).selected[1] == (2, 5)


def test_propagating_again_starts_with_the_scores_selection_and_window_of_the_run_before():
    before = ended(after(WINDOW, SliceScored(1, 0, 0.5), SlicesSelected(1, (0,)), Notice("Old.")), Phase.COMPLETED)
    state = continued(before)
    assert state.phase is Phase.RUNNING
    assert (state.scores, state.selected, state.window) == (before.scores, before.selected, before.window)
    assert (state.done, state.notices) == (0, ())


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.RUNNING])
def test_only_a_run_at_work_can_be_canceled(phase):
    state = RunState(phase)
    assert canceling(state) is state
    assert canceling(started(3)).phase is Phase.CANCELING


@pytest.mark.parametrize("phase", list(Phase))
def test_the_model_is_at_work_while_running_and_canceling(phase):
    assert phase.is_active is (phase in (Phase.RUNNING, Phase.CANCELING))


def test_of_a_run_whose_layers_are_gone_the_ending_is_known_and_no_score():
    state = forgotten(ended(after(SliceScored(1, 0, 0.5), Notice("Look.")), Phase.FAILED, "Broken."))
    assert (state.phase, state.message, state.notices) == (Phase.FAILED, "Broken.", ("Look.",))
    assert (state.n_slices, dict(state.scores)) == (0, {})
