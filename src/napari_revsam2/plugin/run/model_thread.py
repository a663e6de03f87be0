"""One long-lived thread that computes: jobs go in, events and exactly one ending per job come out as Qt signals.

One thread for all runs, because PyTorch keeps what it has planned per thread; not superqt's ``GeneratorWorker``,
because that swallows ``RuntimeError``, of which ``torch.OutOfMemoryError`` is one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event as Flag

from qtpy.QtCore import QObject, QThread, Signal

from napari_revsam2.engine.events import Event
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError, RevSAM2Error, is_memory_shortage

from .run_state import Phase

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Job:
    """One computation.

    Attributes
    ----------
    events : callable
        Gives the generator of its events; called, consumed and closed on the model thread.
    afterwards : callable
        Called there when it has ended, in whichever way, and what it held is free.
    """

    events: Callable[[], Generator[Event, None, None]]
    afterwards: Callable[[], None] = lambda: None
    _canceled: Flag = field(default_factory=Flag)

    def cancel(self) -> None:
        """Ask it to end at its next event."""
        self._canceled.set()

    @property
    def is_canceled(self) -> bool:
        """Whether it has been asked to end."""
        return self._canceled.is_set()


class ModelThread(QThread):
    """Computes jobs one after the other.

    Attributes
    ----------
    event_arrived : Signal(Job, Event)
        In the order in which the generator gives them.
    job_ended : Signal(Job, Phase, str)
        Once for each job, after its last event: completed, canceled, or failed with a sentence that says why.
    """

    event_arrived = Signal(object, object)
    job_ended = Signal(object, object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("revsam2 model")
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._current: Job | None = None
        self._closing = Flag()

    def submit(self, job: Job) -> None:
        """Compute ``job`` when those before it have ended."""
        self._jobs.put(job)
        if not self.isRunning():
            self.start()

    def close(self) -> None:
        """Cancel what is being computed, drop what waits, and end the thread; returns when it has ended."""
        self._closing.set()
        self._jobs.put(None)
        self.wait()

    def run(self) -> None:
        """Work until closed; Qt calls this on the thread."""
        while (job := self._jobs.get()) is not None:
            phase, message = self._compute(job)
            job.afterwards()
            self.job_ended.emit(job, phase, message)

    def _compute(self, job: Job) -> tuple[Phase, str]:
        try:
            with closing(job.events()) as events:  # its clean-up belongs on the thread it ran on
                for event in events:
                    if job.is_canceled or self._closing.is_set():
                        return Phase.CANCELED, ""
                    self.event_arrived.emit(job, event)
        except RevSAM2Error as error:
            return Phase.FAILED, str(error)
        except Exception as error:  # the window must learn of any end
            if is_memory_shortage(error):  # not logged: a log may keep the error, and that what fills the memory
                return Phase.FAILED, str(NotEnoughMemoryError())
            _LOGGER.exception("a run failed")
            return Phase.FAILED, _explained(error)
        return (Phase.CANCELED, "") if job.is_canceled else (Phase.COMPLETED, "")


def _explained(error: Exception) -> str:
    """One sentence for an error that nobody foresaw."""
    kind = type(error).__name__
    return f"The run stopped with an error that wasn't foreseen ({kind}: {error}); details are in the log."
