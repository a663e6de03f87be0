"""Processes that compute jobs may die, and a scheduler may be gone."""

from __future__ import annotations

import os
import signal
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
from distributed import KilledWorker, LocalCluster

from napari_revsam2.evaluation.experiment import workers
from napari_revsam2.evaluation.experiment.row_file import read_results
from napari_revsam2.evaluation.experiment.runner import run_experiment
from napari_revsam2.evaluation.experiment.workers import outcome_of
from napari_revsam2.settings.config import Mode
from napari_revsam2.vocabulary.errors import ProblemError
from tests.evaluation.experiment.phantoms import PROTOCOL, run
from tests.evaluation.experiment.slow_job import slow_job


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "run_job", slow_job)
    experiment = replace(experiment, protocol=replace(PROTOCOL, n_support=(1,), modes=(Mode.FORWARD,), groups=6))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=True) as cluster:
        for step in run_experiment(experiment, tmp_path, scheduler=cluster.scheduler_address):
            if step.finished == 4:
                os.kill(next(iter(cluster.workers.values())).process.pid, signal.SIGKILL)
    rows = read_results(tmp_path)
    assert len({row.key for row in rows}) == len(rows) == step.total == 24
    assert len({row.seconds for row in rows}) >= 2  # processes that took part


@dataclass(frozen=True)
class LostFuture:
    """A future whose result never came."""

    error: Exception

    def result(self):
        raise self.error


def test_a_job_that_ends_each_of_its_processes_fails_alone(experiment):
    (one, *_) = experiment.jobs()
    outcome = outcome_of(LostFuture(KilledWorker("attempt", None, 4)), one)
    assert outcome.job is one
    assert "use fewer workers" in outcome.reason


def test_a_scheduler_that_stops_is_named(experiment):
    (one, *_) = experiment.jobs()
    with pytest.raises(ProblemError, match="The Dask scheduler has stopped"):
        outcome_of(LostFuture(CancelledError()), one)


def test_a_missing_scheduler_is_named(experiment, tmp_path):
    with pytest.raises(ProblemError, match="There is no Dask scheduler at tcp:"):
        run(experiment, tmp_path, scheduler="tcp://127.0.0.1:9")


def test_processes_begin_with_different_volumes(experiment):
    """Those that share a volume at the same time would all encode its slices."""
    apart = workers._volumes_apart(experiment.jobs())
    assert apart[0].query != apart[1].query
    assert set(apart) == set(experiment.jobs())


def test_without_workers_jobs_are_computed_here_and_in_order(experiment, monkeypatch):
    monkeypatch.setattr(workers, "run_job", lambda job: job)
    jobs = experiment.jobs()
    assert tuple(workers.compute_jobs(jobs, workers=1, scheduler="")) == jobs


def test_nothing_to_do_starts_no_process(monkeypatch):
    monkeypatch.setattr(workers, "_client", None)
    assert list(workers.compute_jobs((), workers=2, scheduler="")) == []


def test_processes_that_start_ignore_ctrl_c_and_this_one_does_not_afterwards():
    usual = signal.getsignal(signal.SIGINT)
    with workers._interrupts_ignored():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is usual


def test_a_thread_that_may_not_set_signals_starts_processes_all_the_same():
    with ThreadPoolExecutor() as threads:
        threads.submit(lambda: workers._interrupts_ignored().__enter__()).result()
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


@dataclass(frozen=True)
class FakeCluster:
    """Starts nothing, and keeps what was asked for."""

    asked: dict

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.asked["closed"] = True


def test_workers_on_this_machine_have_one_thread_each_and_end_with_the_evaluation(monkeypatch):
    asked = {}
    monkeypatch.setattr("distributed.LocalCluster", lambda **how: asked.update(how) or FakeCluster(asked))
    monkeypatch.setattr("distributed.Client", lambda cluster: FakeCluster({}))
    with workers._client(3, ""):
        assert (asked["n_workers"], asked["threads_per_worker"]) == (3, 1)
    assert asked["closed"]
