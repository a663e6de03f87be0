"""Show that nothing grows from run to run: memory, open files, threads, memory of the graphics card.

    python -m benchmarks.soak [--runs 200] [--window-runs 50] [--output docs/soak.png]

Two processes, one after the other: runs of the command line, files in and files out, and clicks on Run in one open
window of napari (`xvfb-run` makes a screen). Both use the sample data and the bundled checkpoint at a small image size,
as what leaks leaks at any size. Written are a figure and one line for each quantity with its slope over the last two
thirds of the runs, in which caches are full: the median of the slopes between all pairs of runs.

The command line loads the network in each run. Most of the small growth seen there (0.04 MB a run) are two objects that
safetensors 0.8 keeps for each tensor that it reads from a file. A window loads it once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import theilslopes

QUANTITIES = ("memory, MB", "open files", "threads", "graphics memory, MB")
GROWTH = (0.1, 0.01, 0.01, 0.01)
"""Of each quantity, the slope in a run from which it is said to grow."""
SETTINGS: dict[str, Any] = {"image_size": 64, "n_support": 2, "top_k": 2}


def main(runs: int, window_runs: int, output: Path) -> bool:
    """Measure in two processes, draw, print, and return whether nothing grows."""
    measured = {"command line": _in_a_process("files", runs), "window": _in_a_process("window", window_runs)}
    _draw(measured, output)
    verdicts = [_is_flat(f"{place}, {len(values)} runs", values) for place, values in measured.items()]
    return all(verdicts)


def soak_files(runs: int) -> list[list[float]]:
    """Run the command line again and again in this process."""
    from napari_revsam2.cli import main as command_line
    from napari_revsam2.sample_data import sample_query, sample_supports

    with tempfile.TemporaryDirectory() as folder:
        supports = [word for pair in sample_supports() for word in ("--support", *map(str, pair))]
        files = {"output": "mask.nii.gz", "scores": "scores.csv", "figure": "figure.png"}
        outputs = [f"--{name}={folder}/{file}" for name, file in files.items()]
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
        arguments = ["segment", *supports, "--query", str(sample_query()[0]), *outputs, *settings]

        def run() -> None:
            with redirect_stdout(StringIO()):
                code = command_line(arguments)
            if code:
                raise RuntimeError(f"exit code {code}")

        return _after_each(run, runs)


def soak_window(runs: int) -> list[list[float]]:
    """Click Run again and again in one open window, which removes the last result first, as a user does."""
    from docs.screenshots import run_to_the_end, window_with_sample

    from napari_revsam2.plugin.run.run_state import Phase
    from napari_revsam2.settings.config import RevSAM2Config

    viewer, widget = window_with_sample()
    widget.form.set_inputs(replace(widget.form.inputs, settings=RevSAM2Config(**SETTINGS)))

    def run() -> None:
        run_to_the_end(widget)
        if widget.controller.state.phase is not Phase.COMPLETED:
            raise RuntimeError(widget.controller.state.message)
        viewer.layers.remove(widget.controller.result.layer)

    measured = _after_each(run, runs)
    viewer.close()
    return measured


def _after_each(run: Callable[[], None], runs: int) -> list[list[float]]:
    """Run, and say after each what the process takes, in the order of `QUANTITIES`."""
    process, measured = psutil.Process(), []
    for _ in range(runs):
        run()
        card = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
        files = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        measured.append([process.memory_info().rss / 1e6, files, process.num_threads(), card / 1e6])
    return measured


def _in_a_process(place: str, runs: int) -> NDArray[np.float64]:
    """Measure in a new process, with a cache of its own; (runs, quantities)."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.soak", "--place", place, "--runs", str(runs)]
        environment = {**os.environ, "NAPARI_REVSAM2_CACHE": cache}
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return np.array(json.loads(said.splitlines()[-1]))


def _is_flat(place: str, measured: NDArray[np.float64]) -> bool:
    """Print the slope of each quantity, and whether none grows."""
    settled = measured[len(measured) // 3 :]
    slopes = np.array([theilslopes(values).slope for values in settled.T])  # a median: threads come and go
    for name, slope, values in zip(QUANTITIES, slopes, settled.T, strict=True):
        print(f"{place}: {name}: from {values[0]:.0f} to {values[-1]:.0f}, {slope:+.4f} a run")
    is_flat = bool((slopes < GROWTH).all())
    print(f"{place}: {'flat' if is_flat else 'GROWS'}")
    return is_flat


def _draw(measured: dict[str, NDArray[np.float64]], output: Path) -> None:
    shown = [i for i, name in enumerate(QUANTITIES) if any(values[:, i].any() for values in measured.values())]
    figure = Figure(figsize=(9, 2.2 * len(shown)), layout="constrained")
    rows = figure.subplots(len(shown), len(measured), squeeze=False)
    for column, (place, values) in enumerate(measured.items()):
        rows[0, column].set_title(f"{place}: {len(values)} runs in one process", fontsize=10)
        for axes, quantity in zip(rows[:, column], shown, strict=True):
            axes.plot(np.arange(1, len(values) + 1), values[:, quantity], linewidth=1)
            axes.set(ylabel=QUANTITIES[quantity], ylim=(0, 1.2 * values[:, quantity].max() or 1))
            axes.grid(alpha=0.3)
        rows[-1, column].set_xlabel("run")
    figure.savefig(output, dpi=90)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--window-runs", type=int, default=50)
    parser.add_argument("--output", type=Path, default=Path("docs/soak.png"))
    parser.add_argument("--place", choices=["files", "window"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.place is None:
        sys.exit(not main(given.runs, given.window_runs, given.output))
    print(json.dumps({"files": soak_files, "window": soak_window}[given.place](given.runs)))
