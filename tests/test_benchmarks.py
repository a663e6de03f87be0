"""The benchmark of speed runs and writes its figures; how fast it was is not a test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_part_gives_figures_and_our_masks_are_those_of_the_stock_predictor(tmp_path):
    output = tmp_path / "speed.json"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "benchmarks.speed",
        "--quick",
        "--pairs",
        "1",
        "--output",
        str(output),
    ]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    results = json.loads(output.read_text())
    assert list(results) == ["versus", "reuse", "growth", "memory", "batches"]
    assert all(f"\n{part}\n| network |" in printed for part in results)
    assert results["versus"][0]["voxels equal, %"] >= 99.9
    assert all(value > 0 for rows in results.values() for row in rows for value in list(row.values())[1:])
