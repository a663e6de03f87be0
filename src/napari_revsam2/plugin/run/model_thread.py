"""One long-lived thread that computes: jobs go in, events and exactly one ending per job come out as Qt signals.

One thread for all runs, because PyTorch keeps what it has planned per thread; not superqt's ``GeneratorWorker``,
because that swallows ``RuntimeError``, of which ``torch.OutOfMemoryError`` is one.
"""

from __future__ import annotations

import logging
from contextlib import closing
from queue import SimpleQueue
from threading import Event as Flag

from qtpy.QtCore import QThread, Signal

from napari_revsam2.vocabulary.errors import NotEnoughMemoryError, RevSAM2Error, is_memory_shortage

from .job import Job
from .run_state import Phase

_LOGGER = logging.getLogger(__name__)


class ModelThread(QThread):
    """Computes jobs one after the other.

    Attributes
    ----------
    event_arrived : Signal(Job, Event)
        In the order in which the generator yields them.
    job_ended : Signal(Job, Phase, str)
        Once for each job, after its last event: completed, canceled, or failed with a sentence that says why.
    """

    event_arrived = Signal(object, object)
    job_ended = Signal(object, object, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("revsam2 model")
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._closing = Flag()

    def submit(self, job: Job) -> None:
        """Compute ``job`` when those before it have ended."""
        self._jobs.put(job)
        if not self.isRunning():
            self.start()

    def close(self) -> None:
        """Cancel what is being computed and what waits, and end the thread; returns when it has ended."""
        self._closing.set()
        self._jobs.put(None)
        self.wait()

    def run(self) -> None:
        """Work until closed; Qt calls this on the thread."""
        while self._work():
            pass

    def _work(self) -> bool:
        """Compute the next job; whether there was one. A method, so that while it waits nothing refers to the last."""
        job = self._jobs.get()
        if job is None:
            return False
        phase, message = self._compute(job)
        try:
            job.afterwards()
        except BaseException:  # the job has ended as it has, whatever fails now
            _LOGGER.exception("the clean-up after a run failed")
        self.job_ended.emit(job, phase, message)
        return True

    def _compute(self, job: Job) -> tuple[Phase, str]:
        if self._is_to_end(job):  # before its network is loaded
            return Phase.CANCELED, ""
        try:
            with closing(job.events()) as events:  # its clean-up belongs on the thread it ran on
                for event in events:
                    if self._is_to_end(job):
                        return Phase.CANCELED, ""
                    self.event_arrived.emit(job, event)
        except RevSAM2Error as error:
            return Phase.FAILED, str(error)
        except BaseException as error:  # the window must learn of any end, SystemExit from a library among them
            if is_memory_shortage(error):  # not logged: a log may keep the error, and that what fills the memory
                return Phase.FAILED, str(NotEnoughMemoryError())
            _LOGGER.exception("a run failed")
            return Phase.FAILED, _explained(error)
        return (Phase.CANCELED, "") if job.is_canceled else (Phase.COMPLETED, "")

    def _is_to_end(self, job: Job) -> bool:
        return job.is_canceled or self._closing.is_set()


def _explained(error: BaseException) -> str:
    """One sentence for an error that nobody foresaw."""
    return f"The run stopped with an unexpected error ({type(error).__name__}: {error}); details are in the log."
