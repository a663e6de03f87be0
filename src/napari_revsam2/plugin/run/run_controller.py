"""One run at a time: from a request to layers, scores and an ending. No widgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from napari.components import LayerList
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_revsam2.engine.events import Event, RunFinished, SliceSegmented
from napari_revsam2.engine.pipeline import propagate_again, run_revsam2
from napari_revsam2.engine.propagator import Mask

from .model_thread import Job, ModelThread
from .networks import KeptNetwork
from .provenance import layer_provenance
from .result_layer import ResultLayer
from .run_request import RunRequest
from .run_state import Phase, RunState, canceling, continued, ended, started, update, with_selected

REDRAW_EVERY = 50
"""Milliseconds, at least, between two updates of what the window shows."""
REDRAW_SHARE = 0.03
"""Share of the time, at most, in which the window redraws itself while a run goes on.

Where drawing is slow it takes a core from the model: under a software renderer an update took some 50 ms, and with 20
a second (and the spinner of `run_progress`) a run on two cores took twice its time (seen in runs by hand).
"""


@dataclass(frozen=True, eq=False)
class _Backup:
    """What the result layer showed before it was written again."""

    data: NDArray[Any]
    state: RunState


class RunController(QObject):
    """Runs requests on the model thread and writes what comes back; everything here is on the window's thread.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    network : KeptNetwork
        Gives the network; used on the model thread.

    Attributes
    ----------
    state_changed : Signal(RunState)
        As often as `REDRAW_EVERY` and `REDRAW_SHARE` let it, and one at each start and ending.
    """

    state_changed = Signal(object)

    def __init__(self, layers: LayerList, network: KeptNetwork, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = RunState()
        self.request: RunRequest | None = None
        self.result: ResultLayer | None = None
        self._layers = layers
        self._network = network
        self._job: Job | None = None
        self._backup: _Backup | None = None
        self._stage_began = 0.0
        self._is_closed = False
        self._thread = ModelThread(self)
        self._thread.event_arrived.connect(self._on_event_arrived)
        self._thread.job_ended.connect(self._on_job_ended)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_EVERY)
        self._redraw.timeout.connect(self._on_redraw)
        self._redraw_began = 0.0
        self._redrawn = QTimer(self)  # with no interval: it comes after the window has painted
        self._redrawn.setSingleShot(True)
        self._redrawn.timeout.connect(self._on_redrawn)
        layers.events.removed.connect(self._on_layer_removed)

    @property
    def seconds_left(self) -> float | None:
        """Expected rest of this stage; None before its second slice."""
        if self.state.done < 2:
            return None
        passed = time.monotonic() - self._stage_began
        return passed / self.state.done * (self.state.total - self.state.done)

    def start(self, request: RunRequest) -> None:
        """Run a request, after canceling the one that may go on; its result becomes a new layer."""
        self._abandon("")
        self._forget_result()
        self.request = request
        self._submit(started(len(request.slices)), partial(_run, self._network, request))

    def propagate_again(self) -> None:
        """Propagate from the conditional slices as the result layer shows them now, into the same layer."""
        assert self.request is not None
        assert self.result is not None
        masks = {label: self.result.masks(label, chosen) for label, chosen in self.state.selected.items()}
        masks = {label: planes for label, planes in masks.items() if any(plane.any() for plane in planes.values())}
        self._backup = _Backup(np.array(self.result.layer.data), self.state)
        self.result.lock(True)
        self._submit(continued(self.state), partial(_run_again, self._network, self.request, masks))

    def restore(self, request: RunRequest, result: ResultLayer, state: RunState) -> None:
        """Go on from a result that an earlier session left, as if it had been computed here."""
        self._abandon("")
        self._forget_result()
        self.request = request
        self._follow(result)
        self._set(state)

    def forget_embeddings(self) -> None:
        """Let the next run encode every slice anew."""
        self._network.forget_embeddings()

    def cancel(self) -> None:
        """End the run within a slice; what is there stays."""
        if self._job is not None:
            self._job.cancel()
            self._set(canceling(self.state))

    def set_conditional(self, label: int, index: int, on: bool) -> None:
        """Make a query slice conditional for a class, or not."""
        chosen = set(self.state.selected.get(label, ()))
        self._set(with_selected(self.state, label, tuple(chosen | {index} if on else chosen - {index})))

    def close(self) -> None:
        """End the thread and let go of all layers; the second time there is nothing to do."""
        if self._is_closed:
            return
        self._is_closed = True
        self._layers.events.removed.disconnect(self._on_layer_removed)
        self._redraw.stop()
        self._redrawn.stop()
        self._thread.event_arrived.disconnect(self._on_event_arrived)
        self._thread.job_ended.disconnect(self._on_job_ended)
        self._thread.close()
        self._abandon("")
        self._forget_result()

    def _abandon(self, message: str) -> None:
        """End the run here and now; what the thread still sends of it is not listened to."""
        if self._job is not None:
            self._job.cancel()
            self._end(Phase.CANCELED, message)

    def _submit(self, state: RunState, events: Callable[[], Generator[Event, None, None]]) -> None:
        self._job = Job(events, self._network.give_back_unused)
        self._set(state)
        self._thread.submit(self._job)

    def _on_event_arrived(self, job: Job, event: Event) -> None:
        if job is not self._job:
            return
        stage = self.state.stage, self.state.label
        self.state = update(self.state, event)
        if (self.state.stage, self.state.label) != stage:
            self._stage_began = time.monotonic()
        if isinstance(event, SliceSegmented):
            self._result_of_run().write_mask(event.index, event.label, event.mask)
        if isinstance(event, RunFinished):
            self._result_of_run().write_all(event.segmentation, [result.label for result in event.labels])
        if not self._redraw.isActive():
            self._redraw.start()

    def _result_of_run(self) -> ResultLayer:
        """Find the layer to write into; it is made when the first slice is there."""
        if self.result is None:
            assert self.request is not None
            request = self.request
            result = ResultLayer.added_to(self._layers, request.query_layer, request.slices, max(request.labels))
            if request.colormap is not None:
                result.layer.colormap = request.colormap
            self._follow(result)
            result.lock(True)
        assert self.result is not None
        return self.result

    def _follow(self, result: ResultLayer) -> None:
        self.result = result
        result.layer.events.paint.connect(self._on_painted)
        result.layer.events.data.connect(self._on_result_changed)

    def _on_job_ended(self, job: Job, phase: Phase, message: str) -> None:
        if job is self._job:
            self._end(phase, message)

    def _end(self, phase: Phase, message: str) -> None:
        self._job = None
        if phase is Phase.FAILED and self._backup is not None and self.result is not None:
            self.result.layer.data = self._backup.data
            self.state = self._backup.state
        self._backup = None
        self.state = ended(self.state, phase, message)
        if self.result is not None and self.request is not None:
            self.result.lock(False)
            self.result.describe(layer_provenance(self.request, self.state))
            self.result.layer.refresh(extent=False)  # its thumbnail is left alone while the run goes on
        self._on_redraw()

    def _on_redraw(self) -> None:
        self._redraw.stop()  # at an ending, one may be due that would say it again, over what was said since
        self._redraw_began = time.monotonic()
        self._redrawn.start()
        if self.result is not None:
            self.result.refresh()
        self.state_changed.emit(self.state)

    def _on_redrawn(self) -> None:
        """Wait longer before the next update, the longer this one took."""
        took = time.monotonic() - self._redraw_began
        self._redraw.setInterval(max(REDRAW_EVERY, round(1000 * took / REDRAW_SHARE)))

    def _on_painted(self, event: Any) -> None:
        """Make a slice conditional that was corrected by hand."""
        if self.result is None or self.request is None or self.state.phase.is_active:
            return
        for index, labels in self.result.edits(event.value).items():
            for label in labels & set(self.request.labels):
                self.set_conditional(label, index, True)

    def _on_layer_removed(self, event: Any) -> None:
        if self.result is not None and event.value is self.result.layer:
            self._let_go_of_result("The result layer was removed, so the run has ended.")

    def _on_result_changed(self, _: object) -> None:
        if self.result is not None and not self.result.fits:
            self.result.lock(False)
            self._let_go_of_result("The result layer has data of another shape now, so the run has ended.")

    def _let_go_of_result(self, message: str) -> None:
        self._forget_result()
        self._abandon(message)
        self._on_redraw()

    def _forget_result(self) -> None:
        if self.result is not None:
            self.result.layer.events.paint.disconnect(self._on_painted)
            self.result.layer.events.data.disconnect(self._on_result_changed)
            self.result = None

    def _set(self, state: RunState) -> None:
        self.state = state
        self.state_changed.emit(state)


def _run(network: KeptNetwork, request: RunRequest) -> Generator[Event, None, None]:
    with network.given_back_when_it_is_too_large():
        propagator = network.for_run(request.config, request.slices.data)
        yield from run_revsam2(propagator, request.supports, request.query, request.config, request.labels)


def _run_again(
    network: KeptNetwork, request: RunRequest, masks: Mapping[int, Mapping[int, Mask]]
) -> Generator[Event, None, None]:
    with network.given_back_when_it_is_too_large():
        propagator = network.for_run(request.config, request.slices.data)
        yield from propagate_again(propagator, request.query, masks, request.config)
