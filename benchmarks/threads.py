"""Measure whether the window slows the model down, or the model the window.

    python benchmarks/threads.py [--pairs 5]

The sample data and the embedded checkpoint, the same job three ways: in a plain loop as the command line has it,
without a viewer; the same with the viewer open; and in the widget. The last two alternate. Printed are ratios of wall
times (median over pairs) and how long the Qt event loop was held while runs went on in the widget. Needs a screen
(``xvfb-run`` makes one) and a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from qtpy.QtCore import QTimer

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.plugin.networks import load_from_package

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
from screenshots import run_to_the_end, until, window_with_sample


def main(pairs: int) -> None:
    """Measure and print."""
    viewer, widget = window_with_sample()
    until(lambda: widget.form.run_bar.button.isEnabled(), 10)
    request = widget.form.request()
    network = load_from_package(request.config)

    def in_a_loop() -> None:
        for _ in run_revsam2(network, request.supports, request.query, request.config, request.labels):
            pass

    def in_the_widget() -> None:
        widget.controller.forget_embeddings()
        run_to_the_end(widget)

    in_the_widget()  # loads the network
    in_a_loop()
    gaps = _Gaps()
    rows = []
    for _ in range(pairs):
        plain = _seconds(in_a_loop)
        gaps.start()
        rows.append((plain, _seconds(in_the_widget)))
        gaps.stop()
    viewer.close()
    alone = [_seconds(in_a_loop) for _ in range(pairs)]
    plain, with_widget = np.array(rows).T
    print(f"loop without viewer: median {np.median(alone):.2f} s; loop with viewer: {np.median(plain):.2f} s")
    print(f"widget / loop with viewer open, median of {pairs} pairs: {np.median(with_widget / plain):.3f}")
    print(f"widget / loop without viewer, of medians: {np.median(with_widget) / np.median(alone):.3f}")
    held = 1000 * np.array(gaps.seconds)
    print(
        f"event loop held: median {np.median(held):.1f} ms, 99th percentile {np.percentile(held, 99):.1f} ms, "
        f"longest {held.max():.1f} ms, of {len(held)} gaps"
    )


class _Gaps:
    """Seconds between two turns of the event loop, from a timer that asks for one each millisecond."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._timer = QTimer(interval=1)
        self._timer.timeout.connect(self._on_timeout)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _on_timeout(self) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now


def _seconds(job: Callable[[], None]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    main(parser.parse_args().pairs)
