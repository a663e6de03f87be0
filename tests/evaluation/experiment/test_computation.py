"""A job becomes rows, and what fails becomes a sentence."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from napari_revsam2.evaluation.experiment import computation
from napari_revsam2.evaluation.experiment.computation import own_seed, run_job
from napari_revsam2.evaluation.experiment.job import JobFailure, JobResult
from napari_revsam2.evaluation.experiment.protocol import Setting
from napari_revsam2.evaluation.experiment.runner import run_experiment
from napari_revsam2.evaluation.experiment.support_group import draw_group
from tests.evaluation.conftest import ORGAN, job_of
from tests.evaluation.experiment.phantoms import run


def test_random_choices_of_volumes_and_groups_are_independent(experiment):
    jobs = list(experiment.jobs())
    assert len({own_seed(one) for one in jobs}) == len(jobs)
    assert [own_seed(one) for one in jobs] == [own_seed(one) for one in experiment.jobs()]


def test_memory_holds_the_embeddings_of_one_volume_at_a_time(experiment, network, tmp_path):
    """Without files, that is: with `NAPARI_REVSAM2_EMBEDDINGS_GB` = 0."""
    held = []
    for step in run_experiment(experiment, tmp_path):
        held.append(len(computation._network(experiment.jobs()[0].config)))
        assert not step.failures
    slices_of_a_volume, supports = 14, 4 * 4  # two classes and two groups of four supports
    assert max(held) <= slices_of_a_volume + supports


def test_a_volume_is_encoded_once_for_all_its_jobs(experiment, network, tmp_path):
    run(experiment, tmp_path)
    jobs = experiment.jobs()
    volumes = {job.query.name for job in jobs}
    assert len(volumes) < len(jobs)
    assert len(network.embedded) <= 14 * len(volumes) + 4 * len(jobs)  # slices, and four supports


def test_a_job_has_a_row_for_each_of_its_settings_and_the_mask_of_the_kept_one(dataset, network):
    job = job_of(dataset.training[0], supports_of(dataset), [Setting("forward", 4), Setting("revsam2", 4, 7)])
    result = run_job(job)
    assert isinstance(result, JobResult)
    assert [row.key for row in result.rows] == [job.row_key(setting) for setting in job.settings]
    assert result.mask is not None
    assert result.mask.sum() == 10 * 36


def test_a_job_without_the_kept_setting_returns_no_mask(dataset, network):
    result = run_job(job_of(dataset.training[0], supports_of(dataset), [Setting("forward", 4)]))
    assert isinstance(result, JobResult)
    assert result.mask is None


def test_another_system_has_its_row_and_no_slices(dataset):
    result = run_job(job_of(dataset.training[0], supports_of(dataset), [Setting("registration", 2)]))
    assert isinstance(result, JobResult)
    assert [(row.mode, row.n_support) for row in result.rows] == [("registration", 2)]
    assert np.isnan(result.rows[0].chosen_dice)
    assert result.slices == ()


def test_a_file_that_cannot_be_read_is_a_failure_with_its_name(dataset, network):
    dataset.training[0].image.write_bytes(b"no image")
    job = job_of(dataset.training[0], supports_of(dataset), [Setting("forward", 4)])
    failure = run_job(job)
    assert isinstance(failure, JobFailure)
    assert failure.job is job
    assert "subject_0.nii.gz" in failure.reason


def test_threads_of_one_process_compute_one_job_after_the_other(dataset, monkeypatch):
    """They share the embeddings of one volume."""
    running, together = [], []

    def compute(job):
        running.append(job)
        together.append(len(running))
        time.sleep(0.02)
        running.remove(job)

    monkeypatch.setattr(computation, "_compute", compute)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run_job, [job_of(subject, ()) for subject in dataset.training]))
    assert together == [1] * 5


def test_the_one_shot_takes_its_slices_from_one_support_volume(dataset, network):
    result = run_job(job_of(dataset.training[0], supports_of(dataset), [Setting("one-shot", 1, 7)]))
    assert isinstance(result, JobResult)
    assert [(row.mode, row.dsc) for row in result.rows] == [("one-shot", 1.0)]
    assert result.slices == ()


def supports_of(dataset):
    return draw_group(replace(dataset, training=dataset.training[1:]), ORGAN, 0, seed=0, n_support=4).choices
