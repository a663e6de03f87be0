"""One run at a time: from a request to layers, scores and an ending. No widgets."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any
from weakref import finalize

import numpy as np
from napari.components import LayerList
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_revsam2.engine.events import Event, RunFinished, SliceSegmented

from .job import Job, propagation, whole_run
from .model_thread import ModelThread
from .networks import KeptNetwork
from .provenance import layer_provenance
from .redraw_pace import RedrawPace
from .result_layer import ResultLayer
from .run_request import RunRequest
from .run_state import Phase, RunState, canceling, continued, ended, forgotten, started, update, with_conditional

_QUERY_REMOVED = "The query layer was removed: its result can't be propagated again, and its scores can't be saved."


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
        Where the network comes from; used on the model thread.

    Attributes
    ----------
    request, result : RunRequest, ResultLayer or None
        The last run's; None when there is none, or when its query or result layer was removed after it.
    state_changed : Signal(RunState)
        As often as `RedrawPace` allows, and one at each start and ending.
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
        self._thread = ModelThread()  # not a child of this: Qt would delete it while it runs
        finalize(self, self._thread.close)  # also for a widget that is dropped without being closed
        self._thread.event_arrived.connect(self._on_event_arrived)
        self._thread.job_ended.connect(self._on_job_ended)
        self._redraw = RedrawPace(self)
        self._redraw.due.connect(self._on_redraw)
        layers.events.removed.connect(self._on_layer_removed)

    @property
    def seconds_left(self) -> float | None:
        """Expected rest of this stage; None before its second slice."""
        if self.state.done < 2:
            return None
        passed = time.monotonic() - self._stage_began
        return passed / self.state.done * (self.state.total - self.state.done)

    def start(self, request: RunRequest) -> None:
        """Run a request, after canceling the one that may be active; its result becomes a new layer."""
        self._abandon("")
        self._forget_result()
        self.request = request
        self._submit(started(len(request.slices)), whole_run(self._network, request))

    def propagate_again(self) -> None:
        """Propagate from the conditional slices as the result layer shows them now, into the same layer.

        Unless it completes, the result is then as it was before.
        """
        assert self.request is not None
        assert self.result is not None
        masks = {label: self.result.masks(label, chosen) for label, chosen in self.state.selected.items()}
        masks = {label: planes for label, planes in masks.items() if any(plane.any() for plane in planes.values())}
        self._backup = _Backup(np.array(self.result.layer.data), self.state)
        self.result.lock(True)
        self._submit(continued(self.state), propagation(self._network, self.request, masks))

    def restore(self, request: RunRequest, result: ResultLayer, state: RunState) -> None:
        """Continue from a result that an earlier session left, as if it had been computed in this one."""
        self._abandon("")
        self._forget_result()
        self.request = request
        self._follow(result)
        self._set(state)

    def forget_embeddings(self) -> None:
        """Let the next run encode every slice anew."""
        self._network.forget_embeddings()

    def cancel(self) -> None:
        """End the run after the batch that is being computed; what is there stays."""
        if self._job is not None:
            self._job.cancel()
            self._set(canceling(self.state))

    def set_conditional(self, label: int, index: int, on: bool) -> None:
        """Make a query slice conditional for a class, or not."""
        self._set(with_conditional(self.state, label, index, on))

    def close(self) -> None:
        """End the thread and let go of all layers; the second time there is nothing to do."""
        if self._is_closed:
            return
        self._is_closed = True
        self._layers.events.removed.disconnect(self._on_layer_removed)
        self._thread.event_arrived.disconnect(self._on_event_arrived)
        self._thread.job_ended.disconnect(self._on_job_ended)
        self._thread.close()
        self._abandon("")
        self._redraw.stop()
        self._forget_result()
        self.request = None

    def _abandon(self, message: str) -> None:
        """End the run here and now; what the thread still sends of it is not listened to."""
        if self._job is not None:
            self._job.cancel()
            self._end(Phase.CANCELED, message)

    def _submit(self, state: RunState, job: Job) -> None:
        self._job = job
        self._set(state)
        self._thread.submit(job)

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
        self._redraw.request()

    def _result_of_run(self) -> ResultLayer:
        """Find the layer to write into; it is added when the first slice is there."""
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
        if job is not self._job:
            return
        self._end(phase, message)
        if self.request is not None and self.request.query_layer not in self._layers:
            self._forget_run_without_query()

    def _end(self, phase: Phase, message: str) -> None:
        self._job = None
        backup, self._backup = self._backup, None
        is_undone = backup is not None and phase is not Phase.COMPLETED
        if backup is not None and is_undone:
            self._bring_back(backup)
            message = message or "Canceled. The result is as it was before."
        self.state = ended(self.state, phase, message)
        if self.result is not None and self.request is not None:
            self.result.lock(False)
            if not is_undone:
                self.result.describe(layer_provenance(self.request, self.state))
            self.result.layer.refresh(extent=False)  # its thumbnail is left alone during the run
        self._redraw.redraw()  # one that waits would say it again, over what was said since

    def _bring_back(self, backup: _Backup) -> None:
        self.state = backup.state
        if self.result is not None:
            self.result.layer.data = backup.data

    def _on_redraw(self) -> None:
        if self.result is not None:
            self.result.refresh()
        self.state_changed.emit(self.state)

    def _on_painted(self, event: Any) -> None:
        """Make the slices conditional that a stroke has corrected."""
        if self.result is None or self.request is None or self.state.phase.is_active:
            return
        state = self.state
        for index, labels in self.result.edits(event.value).items():
            for label in labels & set(self.request.labels):
                state = with_conditional(state, label, index, True)
        if state is not self.state:
            self._set(state)

    def _on_layer_removed(self, event: Any) -> None:
        if self.result is not None and event.value is self.result.layer:
            self._forget_run("The result layer was removed, so the run has ended.")
        elif self.request is not None and event.value is self.request.query_layer:
            if self._job is None:
                self._forget_run_without_query()
            elif self.result is None:  # no slice has been reached: there is nothing to fill
                self._forget_run("The query layer was removed, so the run has ended.")

    def _on_result_changed(self, _: object) -> None:
        if self.result is not None and not self.result.fits:
            self.result.lock(False)
            self._forget_run("The result layer has data of another shape now, so the run has ended.")

    def _forget_run_without_query(self) -> None:
        self.state = replace(self.state, notices=(*self.state.notices, _QUERY_REMOVED))
        self._forget_run()

    def _forget_run(self, message: str = "") -> None:
        """End it, if it is active, and let go of its layers and of all arrays."""
        self._forget_result()
        self.request = None
        self._abandon(message)
        self.state = forgotten(self.state)
        self._redraw.redraw()

    def _forget_result(self) -> None:
        if self.result is not None:
            self.result.layer.events.paint.disconnect(self._on_painted)
            self.result.layer.events.data.disconnect(self._on_result_changed)
            self.result = None

    def _set(self, state: RunState) -> None:
        self.state = state
        self.state_changed.emit(state)
