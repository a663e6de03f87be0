"""Measure whether the window slows the model down, or the model the window.

    python -m benchmarks.threads [--pairs 3] [--runs 3] [--times 4]

The sample data, its query stacked ``--times`` times, and the bundled checkpoint: the same job two ways, in processes
of their own that alternate: in a plain loop as the command line has it, and in the widget of an open window. Each
process runs the job once to load and warm up, then ``--runs`` times for the clock, encoding anew each time; in the
window once more for the time that the event loop is held while slices arrive, so that the timer that measures this
isn't in the other figures. Printed are the ratio of wall times (median over pairs of processes) and percentiles of the
gaps, and the time to the first result. Needs a screen (``xvfb-run`` makes one) and a machine with nothing else to do.

Why the window used to slow the run, as seen in single runs by hand with parts switched off: with nothing drawn, a run
beside the open window took its time alone, so it isn't the interpreter's lock. Under a software renderer each repaint
composes the whole window on the cores that the model needs, and the spinner of napari's activity dock alone asks for 33
a second; `run_progress` slows it, and `run_controller` bounds the share of redraws.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from docs.screenshots import run_to_the_end, until, window_with_sample
from napari import Viewer
from qtpy.QtCore import QTimer

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.plugin.dock_widget import RevSAM2Widget
from napari_revsam2.plugin.run.networks import load_from_package
from napari_revsam2.plugin.run.run_state import Phase


def main(pairs: int, runs: int, times: int) -> None:
    """Measure in alternating processes, and print."""
    os.environ["NAPARI_REVSAM2_EMBEDDINGS_GB"] = "0"  # none from the last run
    loops, widgets, ratios = [], [], []
    gaps: list[float] = []
    firsts: list[float] = []
    for _ in range(pairs):
        loop, widget = _in_a_process("loop", runs, times), _in_a_process("widget", runs, times)
        gaps += widget["gaps"]
        firsts.append(widget["first"])
        loops.append(np.median(loop["seconds"]))
        widgets.append(np.median(widget["seconds"]))
        ratios.append(widgets[-1] / loops[-1])
        print(f"loop {loops[-1]:.2f} s, widget {widgets[-1]:.2f} s, ratio {ratios[-1]:.3f}", flush=True)
    print(f"widget / loop, median of {pairs} pairs of processes: {np.median(ratios):.3f}")
    print(f"from opening napari to the first result: {np.median(firsts):.1f} s")
    held = 1000 * np.array(gaps)
    print(
        f"event loop held: median {np.median(held):.1f} ms, 99th percentile {np.percentile(held, 99):.1f} ms, "
        f"longest {held.max():.1f} ms, of {len(held)} gaps"
    )


def measure_loop(runs: int, times: int) -> dict[str, Any]:
    """Run the job of the sample data without a window."""
    request = _request_of_the_sample(times)
    network = load_from_package(request.config)

    def job() -> None:
        network.clear()
        for _ in run_revsam2(network, request.supports, request.query, request.config, request.labels):
            pass

    job()
    return {"seconds": [_seconds(job) for _ in range(runs)]}


def measure_widget(runs: int, times: int) -> dict[str, Any]:
    """Run the same job in the widget."""
    started = time.perf_counter()
    viewer, widget = _window(times)

    def job() -> None:
        widget.controller.forget_embeddings()
        run_to_the_end(widget)
        if widget.controller.state.phase is not Phase.COMPLETED:
            raise RuntimeError(widget.controller.state.message)

    job()
    first = time.perf_counter() - started
    seconds = [_seconds(job) for _ in range(runs)]
    gaps = _Gaps()
    job()
    gaps.stop()
    viewer.close()
    return {"seconds": seconds, "gaps": gaps.seconds, "first": first}


def _window(times: int) -> tuple[Viewer, RevSAM2Widget]:
    viewer, widget = window_with_sample()
    query = widget.form.inputs.query
    query.data = np.concatenate([query.data] * times)
    return viewer, widget


def _request_of_the_sample(times: int) -> Any:
    """Take the request that the widget makes of the sample data, and close the window."""
    viewer, widget = _window(times)
    until(lambda: widget.form.run_bar.button.isEnabled(), 10)
    request = widget.form.request()
    viewer.close()
    return request


class _Gaps:
    """Seconds between two turns of the event loop, from a timer that asks for one each millisecond."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(interval=1)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _on_timeout(self) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now


def _in_a_process(job: str, runs: int, times: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.threads", "--job", job, "--runs", str(runs), "--times", str(times)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result


def _seconds(job: Callable[[], None]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--job", choices=["loop", "widget"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job is None:
        main(given.pairs, given.runs, given.times)
    else:
        print(json.dumps({"loop": measure_loop, "widget": measure_widget}[given.job](given.runs, given.times)))
