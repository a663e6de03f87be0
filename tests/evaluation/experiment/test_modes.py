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


@pytest.mark.parametrize("mode", list(Mode))
def test_the_bundled_network_gives_the_masks_of_runs_of_their_own(mode):
    subjects = [Subject(image.name, image, labels) for image, labels in (*sample_supports(), sample_query())]
    choices = [SupportChoice(subject, index) for subject in subjects[:2] for index in (12, 18)]
    job = job_of(subjects[-1], choices, config=CONFIG, support_window=CONFIG.window)
    inputs = read_inputs(job, choices)
    inputs = replace(inputs, query=replace(inputs.query, slices=inputs.query.slices[8:20]), truth=inputs.truth[8:20])
    network = load_propagator(CONFIG)
    settings = tuple(Protocol(n_support=(4, 2), top_k=(7, 2), modes=(Mode.REVSAM2, mode)).settings(4))
    for found in segment_in_modes(network, inputs, CONFIG, settings):
        config = replace(
            CONFIG,
            mode=Mode(found.setting.mode),
            n_support=found.setting.n_support,
            top_k=found.setting.top_k or CONFIG.top_k,
        )
        supports = SupportSet(inputs.supports[: found.setting.n_support])
        *_, expected = run_revsam2(network, supports, inputs.query, config, (1,))
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
