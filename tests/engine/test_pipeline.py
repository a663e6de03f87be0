"""What a run does, whatever the network."""

from __future__ import annotations

import weakref
from collections import Counter

import numpy as np
import pytest

from napari_revsam2.engine.events import (
    Notice,
    RunFinished,
    SliceEmbedded,
    SliceScored,
    SliceSegmented,
    SlicesSelected,
    Stage,
    StageStarted,
    WindowResolved,
    result_of,
)
from napari_revsam2.engine.pipeline import propagate_again, run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, stack_supports
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError

from .conftest import BRIGHT, DARK, paint
from .fake_propagator import FakePropagator

CONFIG = RevSAM2Config(n_support=3, top_k=2)


def run(network: FakePropagator, supports: SupportSet, query: QueryVolume, config: RevSAM2Config = CONFIG, **more):
    return list(run_revsam2(network, supports, query, config, **more))


@pytest.mark.parametrize("mode", list(Mode))
def test_both_classes_are_found_in_every_mode(supports, query, mode):
    finished = run(FakePropagator(), supports, query, RevSAM2Config(mode=mode))[-1]
    assert isinstance(finished, RunFinished)
    np.testing.assert_array_equal(finished.segmentation, paint((8, 14, 13), shift=3)[1])


def test_each_slice_is_embedded_once_for_all_classes(supports, query):
    network = FakePropagator()
    events = run(network, supports, query)
    assert len(network.embedded) == 3 + 8
    assert sum(isinstance(e, SliceEmbedded) for e in events) == 3 + 8


def test_stages_follow_the_paper_and_announce_their_slices(supports, query):
    events = run(FakePropagator(), supports, query, labels=[BRIGHT])
    stages = [(e.stage, e.n_slices) for e in events if isinstance(e, StageStarted)]
    assert stages == [(Stage.EMBED, 11), (Stage.FORWARD, 8), (Stage.REVERSE, 8), (Stage.SELF, 8)]
    counts = Counter(type(e) for e in events)
    assert counts[SliceSegmented] == 16
    assert counts[SliceScored] == 8


def test_the_forward_stage_runs_in_batches(supports, query):
    network = FakePropagator(batch_size=3)
    run(network, supports, query, RevSAM2Config(mode=Mode.FORWARD), labels=[BRIGHT])
    assert network.batch_lengths == [3, 3, 2]


def test_the_reverse_stage_runs_in_batches_of_query_slices_with_supports(supports, query):
    network = FakePropagator(batch_size=3)
    run(network, supports, query, labels=[BRIGHT])
    forward, reverse, sweep = [3, 3, 2], [3] * 7, [1] * 6  # 7 slices show the class: 7 x 3 pairs; 2 are conditional
    assert network.batch_lengths == forward + reverse + sweep


def test_an_empty_prediction_scores_zero_runs_no_reverse_pass_and_is_never_conditional(supports, query):
    network = FakePropagator()
    events = run(network, supports, query, RevSAM2Config(n_support=3, top_k=50), labels=[BRIGHT])
    scores = {e.index: e.reverse_score for e in events if isinstance(e, SliceScored)}
    (selected,) = [e.indices for e in events if isinstance(e, SlicesSelected)]
    assert scores[0] == 0.0
    assert selected == tuple(range(1, 8))
    reverse_banks = [bank for bank in network.banks if bank.video_length == 2]
    assert len(reverse_banks) == 7 * 3


def test_the_reverse_score_is_the_mean_dice_over_the_supports():
    image, labels = paint((3, 10, 12))
    labels[2, 6:8, 2:6] = BRIGHT  # painted too large by half: what comes back has Dice 0.8 with it
    supports = SupportSet(stack_supports(image, labels, (0.0, 100.0)))
    query = QueryVolume(paint((2, 10, 12))[0], (0.0, 100.0))
    network = FakePropagator()
    network.remember_masks = lambda _, masks: [100.0] * len(masks)  # whatever the mask, its grey value is known
    events = run(network, supports, query, labels=[BRIGHT])
    scores = [e.reverse_score for e in events if isinstance(e, SliceScored)]
    assert scores == [0.0, pytest.approx((1.0 + 2 * 16 / (16 + 24)) / 2)]


def test_conditional_slices_keep_their_forward_masks_and_leave_their_place_in_the_queue_empty(supports, query):
    network = FakePropagator(reach=2)
    events = run(network, supports, query, labels=[BRIGHT])
    (selected,) = [e.indices for e in events if isinstance(e, SlicesSelected)]
    forward = {e.index: e.logits for e in events if isinstance(e, SliceSegmented) and e.stage is Stage.FORWARD}
    final = {e.index: e.logits for e in events if isinstance(e, SliceSegmented) and e.stage is Stage.SELF}
    for index in selected:
        np.testing.assert_array_equal(final[index], forward[index])
    sweep = [bank for bank in network.banks if bank.video_length == 8]
    assert [bank.position for bank in sweep] == [i for i in range(8) if i not in selected]
    for bank in sweep:
        assert tuple(r.position for r in bank.conditional) == selected
        before = [i for i in range(bank.position - 2, bank.position) if i >= 0 and i not in selected]
        assert [r.position for r in bank.recent] == before


def test_mode_fifo_keeps_the_supports_conditional_and_follows_them_with_the_query(supports, query):
    network = FakePropagator(reach=6)
    run(network, supports, query, RevSAM2Config(n_support=3, mode=Mode.FIFO), labels=[BRIGHT])
    last = network.banks[-1]
    assert (last.position, last.video_length) == (3 + 7, 3 + 8)
    assert [r.position for r in last.conditional] == [0, 1, 2]
    assert [r.position for r in last.recent] == [4, 5, 6, 7, 8, 9]


def test_mode_random_repeats_with_its_seed_and_needs_no_reverse_pass(supports, query):
    def selected(seed: int) -> tuple[int, ...]:
        config = RevSAM2Config(top_k=2, mode=Mode.RANDOM, seed=seed)
        events = run(FakePropagator(), supports, query, config, labels=[BRIGHT])
        assert not any(isinstance(e, SliceScored) for e in events)
        return next(e.indices for e in events if isinstance(e, SlicesSelected))

    assert selected(4) == selected(4)
    assert len({selected(seed) for seed in range(8)}) > 1


def test_a_class_found_nowhere_ends_in_words_and_an_empty_mask(supports):
    query = QueryVolume(np.zeros((4, 9, 9), np.float32) - 200, (0.0, 100.0))
    events = run(FakePropagator(), supports, query, labels=[DARK])
    assert next(e for e in events if isinstance(e, Notice)).text.startswith("Class 5 was found on no query slice")
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert not finished.segmentation.any()
    assert finished.labels[0].selected == ()


def test_where_classes_overlap_the_higher_logit_wins():
    image = np.zeros((1, 4, 4), np.float32)
    labels = np.zeros((1, 4, 4), np.uint8)
    image[0, 0], labels[0, 0] = 100, 1
    image[0, 1], labels[0, 1] = 112, 7
    supports = SupportSet(stack_supports(image, labels, (0.0, 120.0)))
    query = QueryVolume(np.array([[[104.0, 107.0], [0.0, 0.0]]], np.float32), (0.0, 120.0))
    finished = run(FakePropagator(), supports, query, RevSAM2Config(mode=Mode.FORWARD))[-1]
    assert finished.segmentation[0, 0].tolist() == [1, 7]


def test_a_query_of_one_slice_works(supports):
    query = QueryVolume(paint((2, 10, 12))[0][1:], (0.0, 100.0))
    finished = run(FakePropagator(), supports, query)[-1]
    assert finished.labels[0].selected == (0,)
    assert (finished.segmentation == BRIGHT).sum() == 16


def test_closing_the_run_between_two_slices_ends_it(supports, query):
    network = FakePropagator(batch_size=1)
    events = run_revsam2(network, supports, query, CONFIG)
    for _ in range(5):
        next(events)
    events.close()
    assert len(network.embedded) <= 5
    assert next(events, None) is None


def test_closing_the_run_after_any_event_leaves_the_network_alone(supports, query):
    whole = FakePropagator(batch_size=1)
    calls = [whole.n_calls for _ in run_revsam2(whole, supports, query, CONFIG)]
    for n_events in range(1, len(calls)):
        network = FakePropagator(batch_size=1)
        events = run_revsam2(network, supports, query, CONFIG)
        for _ in range(n_events):
            next(events)
        events.close()
        assert network.n_calls == calls[n_events - 1]
        assert next(events, None) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_between_two_events_the_network_works_on_one_batch_at_most(supports, query, mode):
    network = FakePropagator(batch_size=1)
    config = RevSAM2Config(n_support=4, mode=mode)
    calls = [0, *(network.n_calls for _ in run_revsam2(network, supports, query, config))]
    # The most that a batch takes: a slice of the sweep is segmented, remembered and scaled.
    assert max(np.diff(calls)) <= 3, "a click on Cancel would wait for more than one batch"


def test_propagating_again_the_network_works_on_one_batch_at_most_between_two_events(query):
    truth = paint((8, 14, 13), shift=3)[1]
    network = FakePropagator(batch_size=1)
    settled = {BRIGHT: {i: truth[i] == BRIGHT for i in range(1, 7)}}
    calls = [0, *(network.n_calls for _ in propagate_again(network, query, settled, CONFIG))]
    assert max(np.diff(calls)) <= 3


def test_a_run_first_tells_the_grey_values_seen_as_black_and_white():
    image, labels = paint((3, 10, 12))
    volumes = (stack_supports(image, labels, limits, volume=v) for v, limits in enumerate([(0.0, 90.0), (-5.0, 120.0)]))
    supports = SupportSet(tuple(support for volume in volumes for support in volume))
    query = QueryVolume(paint((2, 10, 12))[0], (0.0, 110.0))
    window = run(FakePropagator(), supports, query)[0]
    assert window == WindowResolved((0.0, 110.0), {0: (0.0, 90.0), 1: (-5.0, 120.0)})


def test_a_class_that_no_support_shows_is_refused(supports, query):
    with pytest.raises(ProblemError, match="Class 3"):
        run(FakePropagator(), supports, query, labels=[3])


def again(query: QueryVolume, conditional, network: FakePropagator | None = None):
    return list(propagate_again(network or FakePropagator(), query, conditional, CONFIG))


def test_propagate_again_finds_both_classes_from_settled_masks_and_keeps_them(query):
    truth = paint((8, 14, 13), shift=3)[1]
    settled = {label: {3: truth[3] == label} for label in (BRIGHT, DARK)}
    settled[BRIGHT][3][0, 0] = True  # a person's mask, right or wrong, stays
    events = again(query, settled)
    truth[3, 0, 0] = BRIGHT
    np.testing.assert_array_equal(events[-1].segmentation, truth)
    assert [e.indices for e in events if isinstance(e, SlicesSelected)] == [(3,), (3,)]


def test_propagate_again_runs_no_forward_and_no_reverse_stage(query):
    truth = paint((8, 14, 13), shift=3)[1]
    events = again(query, {BRIGHT: {3: truth[3] == BRIGHT}})
    assert [e.stage for e in events if isinstance(e, StageStarted)] == [Stage.EMBED, Stage.SELF]


def test_a_slice_settled_as_empty_stays_empty_and_is_not_remembered(query):
    truth = paint((8, 14, 13), shift=3)[1]
    network = FakePropagator()  # refuses to remember an empty mask
    result = again(query, {BRIGHT: {3: truth[3] == BRIGHT, 5: np.zeros((14, 13), bool)}}, network)[-1].segmentation
    assert not result[5].any()
    assert result[4].any()
    assert all(len(bank.conditional) == 1 for bank in network.banks)


def test_propagate_again_without_a_slice_that_shows_the_class_is_refused(query):
    with pytest.raises(ProblemError, match="no conditional slice"):
        again(query, {BRIGHT: {5: np.zeros((14, 13), bool)}})


def test_propagate_again_of_the_background_is_refused_before_anything_is_encoded(query):
    network = FakePropagator()
    with pytest.raises(ProblemError, match="Class 0 is no class"):
        again(query, {0: {3: np.ones((14, 13), bool)}}, network)
    assert network.n_calls == 0


def test_propagate_again_from_nothing_is_refused(query):
    with pytest.raises(ProblemError, match="No conditional slice"):
        again(query, {})


def test_consuming_a_run_for_its_result_lets_go_of_the_other_events(supports, query):
    seen = []

    def watched():
        for event in run_revsam2(FakePropagator(), supports, query, CONFIG):
            seen.append(weakref.ref(event))
            yield event

    assert isinstance(result_of(watched()), RunFinished)
    assert sum(ref() is not None for ref in seen) <= 1
