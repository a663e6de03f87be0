"""The settings of a work give what runs of their own would give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import SupportSet
from napari_revsam2.evaluation.datasets.dataset import Subject
from napari_revsam2.evaluation.experiment.case import Case, open_case
from napari_revsam2.evaluation.experiment.modes import segment_in_modes, segment_one_shot
from napari_revsam2.evaluation.experiment.protocol import Protocol, Setting, SupportChoice, draw_group
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Mode, Precision, RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from tests.engine.fake_propagator import FakePropagator
from tests.evaluation.conftest import ORGAN

CONFIG = RevSAM2Config(seed=3, precision=Precision.FLOAT32)


@pytest.fixture
def case(dataset) -> Case:
    group = draw_group(dataset, ORGAN, 0, seed=0, n_support=4)
    return open_case(ORGAN, group.choices, dataset.training[-1], dataset.axis, dataset.window)


def test_forward_and_reverse_run_once_for_all_k_and_modes(case):
    settings = tuple(Protocol(n_support=(4,), top_k=(7, 3, 1)).settings(4))
    network = FakePropagator()
    list(segment_in_modes(network, case, CONFIG, settings))
    to_supports = [bank for bank in network.banks if bank.video_length == 2]
    shown = sum(mask.any() for mask in case.truth)
    assert len(to_supports) == shown * 4


@pytest.mark.parametrize("mode", list(Mode))
def test_the_bundled_network_gives_the_masks_of_runs_of_their_own(mode):
    subjects = [Subject(image.name, image, labels) for image, labels in (*sample_supports(), sample_query())]
    choices = [SupportChoice(subject, index) for subject in subjects[:2] for index in (12, 18)]
    case = open_case(1, choices, subjects[-1], Axis.AXIAL, CONFIG.window)
    case = replace(case, query=replace(case.query, slices=case.query.slices[8:20]), truth=case.truth[8:20])
    network = load_propagator(CONFIG)
    settings = tuple(Protocol(n_support=(4, 2), top_k=(7, 2), modes=(Mode.REVSAM2, mode)).settings(4))
    for found in segment_in_modes(network, case, CONFIG, settings):
        config = replace(
            CONFIG,
            mode=Mode(found.setting.mode),
            n_support=found.setting.n_support,
            top_k=found.setting.top_k or CONFIG.top_k,
        )
        supports = SupportSet(case.supports[: found.setting.n_support])
        *_, expected = run_revsam2(network, supports, case.query, config, (1,))
        assert found.mask.any()
        assert np.mean(found.mask != (expected.segmentation == 1)) < 1e-4, found.setting
        assert found.chosen == expected.labels[0].selected


def test_forward_propagation_alone_is_quicker_than_what_shares_it(case):
    settings = [Setting("revsam2", 4, 7), Setting("forward", 4)]
    whole, forward = segment_in_modes(FakePropagator(), case, CONFIG, settings)
    assert 0 < forward.seconds < whole.seconds


def test_the_one_shot_protocol_segments_the_organs_extent(case, dataset):
    subject = dataset.training[0]
    shown = range(2, 12)
    supports = open_case(ORGAN, [SupportChoice(subject, i) for i in shown], subject, dataset.axis, dataset.window)
    case = replace(case, supports=supports.supports)
    found = segment_one_shot(FakePropagator(), case, CONFIG, Setting("one-shot", 1, 7))
    np.testing.assert_array_equal(found.mask, case.truth)


def test_a_query_without_the_class_gives_an_empty_one_shot(case):
    case = replace(case, truth=np.zeros_like(case.truth))
    found = segment_one_shot(FakePropagator(), case, CONFIG, Setting("one-shot", 1, 7))
    assert not found.mask.any()
