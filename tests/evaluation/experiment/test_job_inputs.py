"""Supports, query and truth are read as the job says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_revsam2.evaluation.experiment.job_inputs import read_inputs
from napari_revsam2.evaluation.experiment.support_group import SupportChoice
from tests.evaluation.conftest import VESSEL, job_of


def test_supports_are_seen_in_the_window_of_their_own_dataset(experiment, network, dataset, tmp_path, monkeypatch):
    split = replace(dataset, name="others", training=dataset.training[:3], window="0,10")
    queries = replace(dataset, training=(), test=dataset.training[3:])
    (first, *_) = replace(experiment, pairs=((queries, split),)).jobs()
    inputs = read_inputs(first, first.supports)
    assert (inputs.query.limits, inputs.supports[0].limits) == ((0.0, 100.0), (-5.0, 5.0))


def test_supports_show_the_class_alone_under_the_id_it_has_in_the_query(dataset):
    query, support, *_ = dataset.training
    choices = [SupportChoice(support, 5)]
    inputs = read_inputs(job_of(query, choices, label=7, support_label=VESSEL), choices)
    assert np.unique(inputs.supports[0].labels).tolist() == [0, 7]
    assert set(inputs.supports[0].image[inputs.supports[0].labels == 7]) == {50}


def test_the_truth_is_where_the_query_shows_the_class(dataset):
    query, support, *_ = dataset.training
    inputs = read_inputs(job_of(query, []), [SupportChoice(support, 5)])
    assert set(inputs.query.slices[inputs.truth]) == {100}
    assert np.flatnonzero(inputs.truth.any(axis=(1, 2))).tolist() == list(range(2, 12))
