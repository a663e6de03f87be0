"""A job can be sent to another process, and knows its rows."""

from __future__ import annotations

import pickle

import pytest

from napari_revsam2.evaluation.experiment.protocol import Setting
from napari_revsam2.evaluation.experiment.support_group import SupportChoice
from tests.evaluation.conftest import job_of
from tests.evaluation.result_rows import result


@pytest.fixture
def job(dataset):
    query, support, *_ = dataset.training
    return job_of(query, [SupportChoice(support, 5)], [Setting("random", 5, 3)], group=1)


def test_the_key_of_a_setting_is_that_of_its_row(job):
    row = result("subject_0", "random", dataset="phantoms", class_name="organ", group=1, n_support=5, top_k=3)
    assert job.row_key(job.settings[0]) == row.key


def test_a_job_can_be_sent_to_another_process(job):
    assert pickle.loads(pickle.dumps(job)) == job
