"""Jobs on the model thread: whatever they raise, each ends exactly once."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from napari_revsam2.engine.events import BatchFinished
from napari_revsam2.plugin.run.job import Job
from napari_revsam2.plugin.run.model_thread import ModelThread
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError, ProblemError


@pytest.fixture
def thread(qapp):
    thread = ModelThread()
    yield thread
    thread.close()


@pytest.fixture
def endings(thread):
    """What `job_ended` has told so far."""
    told = []
    thread.job_ended.connect(lambda job, phase, message: told.append((phase, message)))
    return told


@pytest.fixture
def endings_of(thread, endings, qtbot):
    """Compute jobs, then one more that shows that the thread is alive; the endings of the former."""

    def compute(*jobs: Job) -> list[tuple[Phase, str]]:
        for job in (*jobs, Job(some_events)):
            thread.submit(job)
        qtbot.waitUntil(lambda: len(endings) > len(jobs), timeout=3000)
        assert endings[len(jobs) :] == [(Phase.COMPLETED, "")]
        return endings[: len(jobs)]

    return compute


def some_events():
    yield BatchFinished()
    yield BatchFinished()


def raising(error: BaseException):
    def events():
        yield BatchFinished()
        raise error

    return events


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ProblemError("Paint something."), "Paint something."),
        (torch.OutOfMemoryError("CUDA out of memory"), str(NotEnoughMemoryError())),
        (KeyError("x"), "The run stopped with an unexpected error (KeyError: 'x'); details are in the log."),
        (SystemExit(3), "The run stopped with an unexpected error (SystemExit: 3); details are in the log."),
        (
            KeyboardInterrupt(),
            "The run stopped with an unexpected error (KeyboardInterrupt: ); details are in the log.",
        ),
    ],
)
def test_a_job_that_raises_fails_once_in_one_sentence_and_the_next_one_is_computed(endings_of, error, message):
    assert endings_of(Job(raising(error))) == [(Phase.FAILED, message)]


@pytest.mark.parametrize("error", [ImportError("DLL load failed"), RuntimeError("broken"), SystemExit()])
def test_an_error_in_the_clean_up_changes_no_ending_and_the_next_job_is_computed(endings_of, caplog, error):
    def fail() -> None:
        raise error

    jobs = Job(some_events, fail), Job(raising(ProblemError("No.")), fail)
    assert endings_of(*jobs) == [(Phase.COMPLETED, ""), (Phase.FAILED, "No.")]
    assert caplog.text.count("the clean-up after a run failed") == 2


def test_an_error_when_the_events_are_asked_for_is_an_ending_too(endings_of):
    def events():
        raise ProblemError("There is no checkpoint.")

    assert endings_of(Job(events)) == [(Phase.FAILED, "There is no checkpoint.")]


def test_a_job_canceled_before_its_turn_is_not_begun(endings_of):
    begun = []
    job = Job(lambda: begun.append(True) or some_events())
    job.cancel()
    assert endings_of(job) == [(Phase.CANCELED, "")]
    assert not begun


def test_a_canceled_job_ends_at_its_next_event_and_cleans_up_on_the_way(endings_of):
    steps = []

    def events():
        try:
            yield BatchFinished()
            job.cancel()
            steps.append("computed")
            yield BatchFinished()
            steps.append("computed too much")
        finally:
            steps.append("cleaned up")

    job = Job(events)
    assert endings_of(job) == [(Phase.CANCELED, "")]
    assert steps == ["computed", "cleaned up"]


def test_closing_drops_the_jobs_that_wait(thread):
    begun = []

    def events():
        begun.append(True)
        yield from some_events()

    def closing_meanwhile():
        thread._closing.set()  # as `close` does first
        yield BatchFinished()

    thread.submit(Job(closing_meanwhile))
    thread.submit(Job(events))
    thread.close()
    assert not begun


def test_while_it_waits_the_thread_keeps_nothing_of_the_last_job(thread, endings, qtbot):
    grey = np.zeros(5)
    reference = weakref.ref(grey)

    def compute_with(array: np.ndarray) -> None:
        def events():
            yield BatchFinished()
            assert array is not None

        thread.submit(Job(events))

    compute_with(grey)
    del grey
    qtbot.waitUntil(lambda: len(endings) == 1)
    qtbot.wait(20)
    gc.collect()
    assert reference() is None
