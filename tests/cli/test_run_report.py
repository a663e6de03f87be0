"""What is told of a run that is known, in CSV and JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.cli.run_report import RunReport, print_json
from napari_revsam2.engine.events import LabelResult, RunFinished, WindowResolved
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files.scores_file import write_scores

COMPUTED_WITH = {"device": "cpu", "precision": "float32"}


@pytest.fixture
def report() -> RunReport:
    """Three slices of 2 x 4: class 3 is empty, found in half, found and too much; the second score isn't known."""
    segmentation, truth = np.zeros((2, 3, 2, 4), np.uint8)
    truth[1, :, :2], segmentation[1, 0, :2] = 3, 3
    truth[2, 0], segmentation[2] = 3, 3
    result = LabelResult(3, ((0, 5), (1, 4)), np.array([0.0, np.nan, 0.75]), (2,))
    finished = RunFinished(segmentation, (result,), RevSAM2Config(), COMPUTED_WITH)
    window = WindowResolved((0.0, 80.5), {0: (-1.0, 90.0), 1: (0.0, 70.0)})
    notices = ("Look at the window.",)
    return RunReport(RevSAM2Config(), Axis.AXIAL, finished, truth, {"self": 1.23456}, notices, window)


def test_scores_tell_each_slices_own_numbers(report: RunReport, tmp_path: Path) -> None:
    (result,), path = report.result.labels, tmp_path / "scores.csv"
    write_scores(path, report.result.segmentation, {3: result.reverse_scores}, {3: (2,)}, report.truth, first_slice=10)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [tuple(row.values()) for row in rows] == [
        ("3", "10", "0.000000", "0", "0", ""),
        ("3", "11", "", "0", "2", f"{2 * 2 / (2 + 4):.6f}"),
        ("3", "12", "0.750000", "1", "8", f"{2 * 4 / (8 + 4):.6f}"),
    ]


def test_json_tells_the_runs_own_numbers(report: RunReport, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(report)
    told = json.loads(capsys.readouterr().out)
    assert told["labels"] == [
        {
            "label": 3,
            "dice": pytest.approx(2 * 6 / (10 + 8)),
            "foreground_voxels": 10,
            "foreground_slices": 2,
            "selected": [2],
            "supports": [{"volume": 0, "slice": 5}, {"volume": 1, "slice": 4}],
        }
    ]
    assert told["query_slices"] == 3
    assert told["notices"] == ["Look at the window."]
    assert told["computed_with"] == COMPUTED_WITH
    assert told["limits"] == {"query": [0.0, 80.5], "supports": {"0": [-1.0, 90.0], "1": [0.0, 70.0]}}
    assert told["seconds"] == {"self": 1.235}
