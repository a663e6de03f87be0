"""A run from request to layer, and each way it can end."""

from __future__ import annotations

import gc
import time
import weakref

import numpy as np
import pytest
import torch

from napari_revsam2.engine.events import Stage
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.redraw_pace import REDRAW_SHARE
from napari_revsam2.plugin.run.run_controller import RunController
from napari_revsam2.plugin.run.run_progress import described
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.vocabulary.errors import CheckpointError, NotEnoughMemoryError
from tests.engine.conftest import BRIGHT, DARK
from tests.plugin.conftest import CONFIG, TRUTH, HeldPropagator, assert_is_truth


@pytest.fixture
def controller_with(viewer):
    """Make a controller on the viewer's layers, with a network of the test's own."""
    made = []

    def make(*network) -> RunController:
        made.append(RunController(viewer.layers, KeptNetwork(*network)))
        return made[-1]

    yield make
    for controller in made:
        controller.close()


@pytest.fixture
def controller(controller_with, network):
    """A controller on the viewer's layers."""
    return controller_with(lambda config: StoredEmbeddings(network))


@pytest.fixture
def finish(qtbot, controller):
    """Wait for the ending."""

    def wait() -> Phase:
        qtbot.waitUntil(lambda: not controller.state.phase.is_active, timeout=10_000)
        return controller.state.phase

    return wait


@pytest.fixture
def finished(controller, finish, request_of):
    """A controller that has run once."""
    controller.start(request_of())
    assert finish() is Phase.COMPLETED
    return controller


def run_until(qtbot, controller, network, condition) -> None:
    """Let the held run go on, slice by slice, until ``condition`` holds."""
    for _ in range(100):
        if condition():
            return
        calls = network.calls
        network.let_one()
        qtbot.waitUntil(lambda calls=calls: network.calls > calls)
        qtbot.wait(5)
    raise AssertionError("the run never got there")


def test_a_run_adds_one_layer_with_the_masks_and_the_transforms_of_the_query(finished, viewer):
    assert [layer.name for layer in viewer.layers] == ["query", "query revsam2"]
    assert_is_truth(viewer.layers[1].data)
    np.testing.assert_array_equal(viewer.layers[1].scale, (3, 1, 1))


def test_scores_and_conditional_slices_are_known_for_each_class(finished):
    assert set(finished.state.scores) == {BRIGHT, DARK}
    assert all(np.isfinite(scores).all() for scores in finished.state.scores.values())
    assert all(len(chosen) == CONFIG.top_k for chosen in finished.state.selected.values())


def test_the_result_says_how_it_was_made_without_paths(controller, finish, request_of):
    controller.start(request_of(RevSAM2Config(checkpoint="/home/patient_007/model.pt")))
    finish()
    facts = controller.result.layer.metadata["revsam2"]
    assert facts["settings"]["checkpoint"] == "model.pt"
    assert facts["partial"] is False
    assert facts["limits"] == {"query": [0.0, 100.0], "supports": {"0": [0.0, 100.0]}}
    assert facts["selected"][str(BRIGHT)] == list(controller.state.selected[BRIGHT])
    assert "patient_007" not in repr(facts)


def test_the_layer_fills_while_the_run_goes_on_and_brushes_are_off(qtbot, controller, network, request_of, finish):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None and controller.result.plane(2).any())
    layer = controller.result.layer
    assert not layer.data[7].any()
    assert not layer.editable
    network.let_go()
    assert finish() is Phase.COMPLETED
    assert layer.editable


def test_the_slower_the_window_draws_the_fewer_updates_it_gets(qtbot, controller, network, request_of, finish):
    network.hold()
    controller.state_changed.connect(lambda state: time.sleep(0.05))
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller._redraw.interval >= 50 / REDRAW_SHARE)
    network.let_go()
    finish()


@pytest.mark.parametrize("stage", list(Stage)[1:])
def test_cancel_in_each_stage_ends_within_a_batch_and_keeps_what_is_there(
    qtbot, controller, network, request_of, finish, stage
):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.state.stage is stage)
    done = network.calls
    controller.cancel()
    assert controller.state.phase is Phase.CANCELING
    network.let_go()
    assert finish() is Phase.CANCELED
    assert network.calls <= done + 1
    if controller.result is not None:
        assert controller.result.layer.metadata["revsam2"]["partial"] is True


def test_cancel_before_the_first_mask_adds_no_layer(controller, network, request_of, finish, viewer):
    network.hold()
    controller.start(request_of())
    controller.cancel()
    network.let_go()
    assert finish() is Phase.CANCELED
    assert len(viewer.layers) == 1


def test_a_problem_of_the_users_is_said_in_its_own_words(controller_with, qtbot, request_of):
    def refuse(config):
        raise CheckpointError("There is no checkpoint 'x'.")

    controller = controller_with(refuse)
    controller.start(request_of())
    qtbot.waitUntil(lambda: controller.state.phase is Phase.FAILED)
    assert controller.state.message == "There is no checkpoint 'x'."


@pytest.mark.parametrize(
    ("error", "words", "logged"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), str(NotEnoughMemoryError()), False),
        (MemoryError(), str(NotEnoughMemoryError()), False),
        (RuntimeError("broken"), "RuntimeError: broken", True),
        (KeyError("x"), "KeyError", True),
    ],
)
def test_any_error_on_the_thread_ends_the_run_in_words(
    controller, network, request_of, finish, viewer, error, words, logged, caplog
):
    before = viewer.layers["query"].data.copy()
    network.error, network.fails_at = error, 10
    controller.start(request_of())
    assert finish() is Phase.FAILED
    assert words in controller.state.message
    np.testing.assert_array_equal(viewer.layers["query"].data, before)
    assert ("a run failed" in caplog.text) is logged


@pytest.mark.parametrize("kind", [NotEnoughMemoryError, torch.OutOfMemoryError, MemoryError])
def test_out_of_memory_the_network_and_its_embeddings_are_given_back(controller_with, qtbot, request_of, kind):
    made = []

    def load(config) -> StoredEmbeddings:
        network = HeldPropagator()
        network.error, network.fails_at = kind(), 10
        made.append(weakref.ref(network))
        return StoredEmbeddings(network)

    controller = controller_with(load)
    controller.start(request_of())
    qtbot.waitUntil(lambda: controller.state.phase is Phase.FAILED)
    gc.collect()
    assert [reference() for reference in made] == [None]


def test_after_each_run_unused_memory_is_given_back_to_the_device(controller_with, qtbot, request_of):
    given = []

    def give_back() -> None:
        given.append(True)
        raise RuntimeError("CUDA error: device-side assert triggered")

    controller = controller_with(lambda _: StoredEmbeddings(HeldPropagator()), give_back)
    for runs in (1, 2):
        controller.start(request_of())
        qtbot.waitUntil(lambda: controller.state.phase is Phase.COMPLETED)
        assert len(given) == runs


def test_a_clean_up_that_fails_lets_the_run_end_and_the_next_one_work(controller_with, qtbot, request_of):
    def fail() -> None:
        raise ImportError("DLL load failed")

    controller = controller_with(lambda _: StoredEmbeddings(HeldPropagator()), fail)
    for _ in range(2):
        controller.start(request_of())
        qtbot.waitUntil(lambda: controller.state.phase is Phase.COMPLETED, timeout=3000)


def test_a_run_canceled_before_its_turn_loads_no_network(controller_with, qtbot, network, request_of):
    loaded = []

    def load(config) -> StoredEmbeddings:
        loaded.append(config.checkpoint)
        return StoredEmbeddings(network)

    controller = controller_with(load)
    network.hold()
    controller.start(request_of(RevSAM2Config(checkpoint="first.pt")))
    controller.start(request_of(RevSAM2Config(checkpoint="second.pt")))
    controller.start(request_of(RevSAM2Config(checkpoint="third.pt")))
    network.let_go()
    qtbot.waitUntil(lambda: controller.state.phase is Phase.COMPLETED)
    assert "second.pt" not in loaded
    assert loaded[-1] == "third.pt"


def test_after_a_failure_the_next_run_works(controller, network, request_of, finish):
    network.error, network.fails_at = RuntimeError("once"), 3
    controller.start(request_of())
    assert finish() is Phase.FAILED
    network.error = None
    controller.start(request_of())
    assert finish() is Phase.COMPLETED


def test_removing_the_result_layer_ends_the_run_and_writes_nowhere(
    qtbot, controller, network, request_of, finish, viewer
):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None)
    viewer.layers.remove(controller.result.layer)
    assert controller.state.phase is Phase.CANCELED
    assert "removed" in controller.state.message
    network.let_go()
    qtbot.wait(100)
    assert [layer.name for layer in viewer.layers] == ["query"]


def test_layers_renamed_reordered_and_removed_during_a_run_change_nothing_else(
    qtbot, controller, network, request_of, finish, viewer
):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None)
    other = viewer.add_labels(np.zeros((8, 14, 13), np.uint8), name="query revsam2")
    controller.result.layer.name = "mine"
    viewer.layers.move(1, 2)
    viewer.layers.remove("query")
    network.let_go()
    assert finish() is Phase.COMPLETED
    assert_is_truth(viewer.layers["mine"].data)
    assert not other.data.any()


def test_a_second_run_replaces_the_one_that_goes_on(qtbot, controller, network, request_of, finish, viewer):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None)
    first = controller.result.layer
    controller.start(request_of())
    network.let_go()
    assert finish() is Phase.COMPLETED
    assert first.metadata["revsam2"]["partial"] is True
    assert_is_truth(controller.result.layer.data)


def test_closed_during_a_run_the_thread_ends_and_the_layer_is_marked_partial(
    qtbot, controller_with, network, request_of
):
    controller = controller_with(lambda config: StoredEmbeddings(network))
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None)
    layer = controller.result.layer
    network.let_go()
    controller.close()
    assert controller.state.phase is Phase.CANCELED
    assert layer.metadata["revsam2"]["partial"] is True


def test_a_range_of_slices_is_written_to_its_place(controller, request_of, finish):
    controller.start(request_of(span=(2, 6)))
    assert finish() is Phase.COMPLETED
    expected = TRUTH.copy()
    expected[:2] = expected[6:] = 0
    np.testing.assert_array_equal(controller.result.layer.data, expected)


def test_painting_a_slice_of_the_result_makes_it_conditional_for_its_class(finished):
    layer = finished.result.layer
    index = next(i for i in range(1, 8) if i not in finished.state.selected[DARK])
    layer.data_setitem((np.array([index]), np.array([0]), np.array([0])), DARK)
    assert index in finished.state.selected[DARK]


def test_a_brush_stroke_makes_its_slice_conditional(finished):
    layer = finished.result.layer
    index = next(i for i in range(1, 8) if i not in finished.state.selected[BRIGHT])
    layer.brush_size = 1
    layer.paint((index, 0, 0), BRIGHT)
    assert index in finished.state.selected[BRIGHT]


def test_propagate_again_embeds_nothing_and_keeps_the_correction(finished, finish, network):
    embedded = len(network.embedded)
    layer = finished.result.layer
    layer.data_setitem((np.array([4]), np.array([0]), np.array([0])), BRIGHT)
    scores = finished.state.scores
    finished.propagate_again()
    assert finish() is Phase.COMPLETED
    assert layer.data[4, 0, 0] == BRIGHT
    assert len(network.embedded) == embedded
    assert finished.state.scores is scores
    assert 4 in finished.state.selected[BRIGHT]


def test_propagate_again_that_fails_leaves_the_result_as_it_was(finished, finish, network):
    layer = finished.result.layer
    layer.data_setitem((np.array([4]), np.array([0]), np.array([0])), BRIGHT)
    before, chosen = layer.data.copy(), finished.state.selected
    network.error, network.fails_at = RuntimeError("broken"), network.calls + 3
    finished.propagate_again()
    assert finish() is Phase.FAILED
    np.testing.assert_array_equal(layer.data, before)
    assert finished.state.selected == chosen


def test_one_stroke_through_all_slices_is_one_update(finished):
    layer, told = finished.result.layer, []
    finished.state_changed.connect(told.append)
    layer.data_setitem(np.nonzero(np.ones((8, 2, 2))), BRIGHT)
    assert len(told) == 1
    assert told[0].selected[BRIGHT] == tuple(range(8))


def test_a_stroke_with_a_class_that_was_not_segmented_is_no_update(finished):
    told = []
    finished.state_changed.connect(told.append)
    finished.result.layer.data_setitem((np.array([4]), np.array([0]), np.array([0])), 99)
    assert told == []


def test_propagate_again_canceled_the_earlier_result_is_back_and_the_text_says_so(finished, finish, network, qtbot):
    layer = finished.result.layer
    layer.data_setitem((np.array([4]), np.array([0]), np.array([0])), BRIGHT)
    before, state, kept = layer.data.copy(), finished.state, dict(layer.metadata["revsam2"])
    network.reach = 0
    network.logits = lambda predictions, shapes: [np.full(shape, 9.0, np.float32) for shape in shapes]  # other masks
    network.hold()
    finished.propagate_again()
    run_until(qtbot, finished, network, lambda: (layer.data != before).any())
    finished.cancel()
    network.let_go()
    assert finish() is Phase.CANCELED
    np.testing.assert_array_equal(layer.data, before)
    assert (finished.state.scores, finished.state.selected) == (state.scores, state.selected)
    assert finished.state.message == "Canceled. The result is as it was before."
    assert layer.metadata["revsam2"] == kept
    assert layer.editable


def test_a_run_started_while_propagating_again_leaves_the_earlier_result_whole(
    finished, finish, network, qtbot, request_of
):
    layer = finished.result.layer
    before = layer.data.copy()
    network.hold()
    finished.propagate_again()
    run_until(qtbot, finished, network, lambda: finished.state.stage is Stage.SELF)
    layer.data[:] = 0  # as if overwritten
    finished.start(request_of())
    np.testing.assert_array_equal(layer.data, before)
    network.let_go()
    assert finish() is Phase.COMPLETED


@pytest.mark.parametrize("propagates_again", [False, True])
def test_removed_the_query_and_the_result_take_their_arrays_along(
    controller, network, finish, request_of, viewer, propagates_again
):
    network.embed = lambda images, limits: [np.array(image) for image in images]  # the fake's are views of the query

    def run() -> list[weakref.ref]:
        request = request_of()
        controller.start(request)
        assert finish() is Phase.COMPLETED
        if propagates_again:
            controller.propagate_again()
            assert finish() is Phase.COMPLETED
        things = request, request.supports, request.slices.data, controller.result.layer.data
        return [weakref.ref(thing) for thing in things]

    references = run()
    assert all(reference() is not None for reference in references[2:])
    viewer.layers.clear()
    viewer.layers.selection.active = viewer.add_points()  # napari remembers the last active one
    gc.collect()
    assert [reference() is None for reference in references] == [True] * 4


@pytest.mark.parametrize("name", ["query", "query revsam2"])
def test_without_its_query_or_its_result_a_run_is_over(finished, viewer, name):
    told = []
    finished.state_changed.connect(told.append)
    viewer.layers.remove(name)
    assert finished.request is None
    assert finished.result is None
    assert told[-1].phase is Phase.COMPLETED
    assert not told[-1].scores
    assert ("The query layer was removed" in described(told[-1])) is (name == "query")
    assert len(viewer.layers) == 1


def test_a_query_removed_during_the_run_is_let_go_when_the_run_has_ended(
    controller, network, qtbot, finish, request_of, viewer
):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None)
    viewer.layers.remove("query")
    assert controller.request is not None
    network.let_go()
    assert finish() is Phase.COMPLETED
    assert controller.request is None


def test_a_query_removed_before_the_first_slice_ends_the_run_and_adds_no_layer(
    controller, network, finish, request_of, viewer
):
    network.hold()
    controller.start(request_of())
    viewer.layers.clear()
    network.let_go()
    assert finish() is Phase.CANCELED
    assert controller.state.message == "The query layer was removed, so the run has ended."
    assert not viewer.layers


def test_a_class_without_conditional_slices_keeps_its_masks(controller, finish, request_of):
    controller.start(request_of(RevSAM2Config(mode=Mode.FORWARD)))
    finish()
    controller.set_conditional(BRIGHT, 3, True)
    controller.propagate_again()
    assert finish() is Phase.COMPLETED
    assert_is_truth(controller.result.layer.data)


def test_what_is_said_after_a_run_is_not_overwritten_by_a_late_redraw(controller, finish, request_of, qtbot):
    controller._redraw._wait.setInterval(300)  # as where drawing is slow
    controller.start(request_of())
    finish()
    said = []
    controller.state_changed.connect(said.append)
    qtbot.wait(400)
    assert said == []


def test_at_the_end_the_thumbnail_shows_the_result(finished):
    layer = finished.result.layer
    shown = layer.thumbnail.copy()
    layer.refresh()
    assert layer.thumbnail[..., :3].any()
    np.testing.assert_array_equal(shown, layer.thumbnail)


def test_given_data_of_another_shape_the_result_layer_is_let_go_and_the_run_ends(
    controller, request_of, qtbot, network
):
    network.hold()
    controller.start(request_of())
    run_until(qtbot, controller, network, lambda: controller.result is not None)
    layer = controller.result.layer
    layer.data = np.zeros((3, 4, 5), np.uint8)
    assert controller.state.phase is Phase.CANCELED
    assert "another shape" in controller.state.message
    network.let_go()
    assert controller.result is None
    assert layer.editable
    assert not layer.data.any()
