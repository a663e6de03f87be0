"""Processes that compute jobs may die, and a scheduler may be gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from distributed import Client, KilledWorker, Security

from napari_revsam2.evaluation.experiment import workers
from napari_revsam2.evaluation.experiment.row_file import read_results
from napari_revsam2.evaluation.experiment.runner import run_experiment
from napari_revsam2.evaluation.experiment.workers import outcome_of
from napari_revsam2.settings.config import Mode
from napari_revsam2.vocabulary.errors import ProblemError
from tests.evaluation.experiment.phantoms import PROTOCOL, run
from tests.evaluation.experiment.slow_job import slow_job


@pytest.fixture(scope="module")
def own_workers() -> Iterator[Client]:
    """A client of the processes that ``--workers`` starts."""
    with workers._client(2, "") as client:
        yield client


def listening() -> list[Any]:
    """The addresses that this process and those it started listen on."""
    here = psutil.Process()
    sockets = [s for process in (here, *here.children(recursive=True)) for s in process.net_connections("inet")]
    return [socket.laddr for socket in sockets if socket.status == psutil.CONN_LISTEN]


def test_workers_on_this_machine_compute_what_this_process_sends(own_workers):
    assert own_workers.submit(sum, (1, 2)).result() == 3


@pytest.mark.parametrize("keys", [lambda: None, Security.temporary], ids=["no keys", "keys of its own"])
def test_a_client_without_the_keys_of_this_run_sends_no_work_to_its_workers(own_workers, keys):
    security = keys()
    for worker in (own_workers.scheduler.address, *own_workers.scheduler_info()["workers"]):
        address = worker.rpartition("/")[2]
        with pytest.raises((OSError, ValueError)):
            Client(f"{'tls' if security else 'tcp'}://{address}", security=security, timeout="2s", set_as_default=False)


def test_workers_listen_on_this_machine_alone(own_workers):
    assert {address.ip for address in listening()} == {"127.0.0.1"}


@pytest.mark.parametrize("page", ["json/index.html", "info/main/workers.html", "status", "health", "metrics"])
def test_no_page_tells_about_the_workers(own_workers, page):
    for address in listening():
        try:
            status = requests.get(f"http://127.0.0.1:{address.port}/{page}", timeout=5).status_code
        except requests.ConnectionError:  # where TLS is spoken
            continue
        assert status == 404


def test_what_workers_move_to_disk_lies_in_a_folder_of_this_user_alone(own_workers):
    for worker in own_workers.scheduler_info()["workers"].values():
        private = Path(worker["local_directory"]).parents[1]
        assert private.name.startswith("napari-revsam2-")
        assert private.stat().st_mode & 0o077 == 0


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(experiment, own_workers, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "run_job", slow_job)
    monkeypatch.setattr(workers, "_client", lambda *_: nullcontext(own_workers))
    experiment = replace(experiment, protocol=replace(PROTOCOL, n_support=(1,), modes=(Mode.FORWARD,), groups=6))
    for step in run_experiment(experiment, tmp_path, workers=2):
        if step.finished == 4:
            os.kill(next(iter(own_workers.run(os.getpid).values())), signal.SIGKILL)
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


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_a_missing_scheduler_is_named(experiment, tmp_path, protocol):
    with pytest.raises(ProblemError, match=f"There is no Dask scheduler at {protocol}:"):
        run(experiment, tmp_path, scheduler=f"{protocol}://127.0.0.1:9")


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
    monkeypatch.setattr("distributed.Client", lambda cluster, **_: FakeCluster({}))
    with workers._client(3, ""):
        assert (asked["n_workers"], asked["threads_per_worker"]) == (3, 1)
    assert asked["closed"]
