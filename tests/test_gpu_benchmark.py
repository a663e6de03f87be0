"""The figures of a GPU: steps resume, keep to their time, and run at small sizes on a processor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.gpu import Step, run
from benchmarks.gpu_speed import Setting

ROOT = Path(__file__).parents[1]


class Counted:
    """A measurement that counts how often it is made."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, setting):
        self.count += 1
        return [{"count": self.count, "share": 0.5}]


def fail(setting):
    """Fail as a device may."""
    raise RuntimeError("the device is lost")


@pytest.fixture
def setting(tmp_path):
    """A folder for figures."""
    return Setting("cpu", tmp_path)


def test_a_step_that_is_done_is_not_done_again(setting, tmp_path):
    measure = Counted()
    for _ in range(2):
        run((Step("rates", 1, measure),), setting, tmp_path, seconds=10)
    assert measure.count == 1


def test_a_step_for_which_no_time_is_left_waits_for_the_next_time(setting, tmp_path):
    long, short = Counted(), Counted()
    steps = (Step("long", 100, long), Step("short", 1, short))
    run(steps, setting, tmp_path, seconds=10)
    assert (long.count, short.count) == (0, 1)
    run(steps, setting, tmp_path, seconds=1000)
    assert (long.count, short.count) == (1, 1)
    assert list(json.loads((tmp_path / "figures.json").read_text())) == ["long", "short"]


def test_a_step_that_fails_says_so_and_the_next_one_is_measured(setting, tmp_path, capsys):
    run((Step("broken", 1, fail), Step("rates", 1, Counted())), setting, tmp_path, seconds=10)
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["broken"] == [{"failed": "RuntimeError: the device is lost"}]
    assert figures["rates"] == [{"count": 1, "share": 0.5}]
    assert "| 1 | 0.5 |" in (tmp_path / "figures.md").read_text()


@pytest.mark.slow
def test_every_step_that_a_processor_can_take_gives_figures(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.gpu", "--quick", "--device", "cpu"]
    subprocess.run([*command, "--output", str(tmp_path), "--seconds", "1000"], cwd=ROOT, check=True)
    figures = json.loads((tmp_path / "figures.json").read_text())
    failed = [row for rows in figures.values() for row in rows if "failed" in row]
    assert [row["variant"] for row in failed] == ["graph"], "only a CUDA device has graphs"
    (row,) = figures["versus-sam2-hiera-tiny-bfloat16"]
    assert row["same slices chosen"]
    assert row["voxels equal, %"] > 99
