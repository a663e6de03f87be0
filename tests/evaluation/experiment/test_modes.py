"""The settings of a job lead to the masks that separate runs would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import SupportSet
from napari_revsam2.evaluation.datasets.dataset import Subject
from napari_revsam2.evaluation.experiment.job_inputs import JobInputs, read_inputs
from napari_revsam2.evaluation.experiment.modes import segment_in_modes, segment_one_shot
from napari_revsam2.evaluation.experiment.protocol import Protocol, Setting
from napari_revsam2.evaluation.experiment.support_group import SupportChoice, draw_group
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Mode, Precision, RevSAM2Config
from tests.engine.fake_propagator import FakePropagator
from tests.evaluation.conftest import ORGAN, job_of

CONFIG = RevSAM2Config(seed=3, precision=Precision.FLOAT32)


@pytest.fixture
def inputs(dataset) -> JobInputs:
    group = draw_group(dataset, ORGAN, 0, seed=0, n_support=4)
    return read_inputs(job_of(dataset.training[-1], group.choices), group.choices)


def test_forward_and_reverse_run_once_for_all_k_and_modes(inputs):
    settings = tuple(Protocol(n_support=(4,), top_k=(7, 3, 1)).settings(4))
    network = FakePropagator()
    list(segment_in_modes(network, inputs, CONFIG, settings))
    to_supports = [bank for bank in network.banks if bank.video_length == 2]
    shown = sum(mask.any() for mask in inputs.truth)
    assert len(to_supports) == shown * 4


def test_the_bundled_network_gives_the_masks_of_separate_runs():
    subjects = [Subject(image.name, image, labels) for image, labels in (*sample_supports(), sample_query())]
    choices = [SupportChoice(subject, 15) for subject in subjects[:2]]
    inputs = read_inputs(job_of(subjects[-1], choices, config=CONFIG, support_window=CONFIG.window), choices)
    inputs = replace(inputs, query=replace(inputs.query, slices=inputs.query.slices[10:18]), truth=inputs.truth[10:18])
    network = load_propagator(CONFIG)
    settings = tuple(Protocol(n_support=(2, 1), top_k=(3, 1)).settings(2))
    for found in segment_in_modes(network, inputs, CONFIG, settings):
        mode, n_support, top_k = Mode(found.setting.mode), found.setting.n_support, found.setting.top_k or CONFIG.top_k
        config = replace(CONFIG, mode=mode, n_support=n_support, top_k=top_k)
        *_, expected = run_revsam2(network, SupportSet(inputs.supports[:n_support]), inputs.query, config, (1,))
        assert found.mask.any()
        assert np.mean(found.mask != (expected.segmentation == 1)) < 1e-4, found.setting
        assert found.chosen == expected.labels[0].selected


def test_forward_propagation_alone_is_quicker_than_what_shares_it(inputs):
    settings = [Setting("revsam2", 4, 7), Setting("forward", 4)]
    whole, forward = segment_in_modes(FakePropagator(), inputs, CONFIG, settings)
    assert 0 < forward.seconds < whole.seconds


def test_the_one_shot_protocol_segments_the_organs_extent(inputs, dataset):
    subject = dataset.training[0]
    shown = range(2, 12)
    choices = [SupportChoice(subject, i) for i in shown]
    supports = read_inputs(job_of(subject, choices), choices)
    inputs = replace(inputs, supports=supports.supports)
    found = segment_one_shot(FakePropagator(), inputs, CONFIG, Setting("one-shot", 1, 7))
    np.testing.assert_array_equal(found.mask, inputs.truth)


def test_a_query_without_the_class_gives_an_empty_one_shot(inputs):
    inputs = replace(inputs, truth=np.zeros_like(inputs.truth))
    found = segment_one_shot(FakePropagator(), inputs, CONFIG, Setting("one-shot", 1, 7))
    assert not found.mask.any()


@pytest.mark.parametrize("mode", [Mode.RANDOM, Mode.REVSAM2])
def test_where_forward_propagation_finds_nothing_the_mask_is_empty_and_no_slice_chosen(inputs, mode):
    dark = replace(inputs, query=replace(inputs.query, slices=np.zeros_like(np.asarray(inputs.query.slices))))
    settings = [Setting(mode.value, 4, 7), Setting(mode.value, 4, 3)]
    for found in segment_in_modes(FakePropagator(), dark, CONFIG, settings):
        assert not found.mask.any()
        assert found.chosen == ()


def test_random_choices_follow_the_seed(inputs):
    def chosen(seed):
        config = replace(CONFIG, seed=seed)
        (found,) = segment_in_modes(FakePropagator(), inputs, config, [Setting("random", 4, 3)])
        return found.chosen

    assert chosen(1) == chosen(1)
    assert len({chosen(seed) for seed in range(5)}) > 1


def test_fifo_alone_runs_no_forward_propagation(inputs):
    (found,) = segment_in_modes(FakePropagator(), inputs, CONFIG, [Setting("fifo", 4)])
    assert found.first is None
    np.testing.assert_array_equal(found.mask, inputs.truth)


def test_each_n_takes_the_first_supports(inputs):
    network = FakePropagator()
    list(segment_in_modes(network, inputs, CONFIG, [Setting("forward", 4), Setting("forward", 1)]))
    assert {len(bank.conditional) for bank in network.banks} == {4, 1}
