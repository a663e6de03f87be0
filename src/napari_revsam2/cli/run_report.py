"""What a run reports besides the mask: a summary, and provenance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.events import LabelResult, RunFinished, WindowResolved
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.provenance import provenance
from napari_revsam2.vocabulary.axis import Axis

from .streams import note, one_line, say


@dataclass(frozen=True)
class RunReport:
    """A finished run, with what is needed to judge and repeat it.

    Attributes
    ----------
    config, axis
        The settings.
    result : RunFinished
        Segmentation (M, H, W) and scores.
    truth : ndarray or None
        True labels (M, H, W).
    seconds : dict of str to float
        Wall time by stage.
    notices : tuple of str
        What the user should know.
    window : WindowResolved
        The grey values that were black and white.
    """

    config: RevSAM2Config
    axis: Axis
    result: RunFinished
    truth: NDArray[Any] | None
    seconds: dict[str, float]
    notices: tuple[str, ...]
    window: WindowResolved

    def label_dice(self, label: int) -> float | None:
        """Dice of a class over the whole volume; None without truth."""
        if self.truth is None:
            return None
        return dice(self.result.segmentation == label, self.truth == label)


def print_json(report: RunReport) -> None:
    """Print the whole report as one JSON object on standard output."""
    facts = provenance(report.config, report.result.computed_with, report.window.query, report.window.supports)
    facts["settings"]["axis"] = report.axis.value
    say(
        json.dumps(
            {
                "labels": [_label_summary(report, result) for result in report.result.labels],
                "seconds": {stage: round(seconds, 3) for stage, seconds in report.seconds.items()},
                "query_slices": len(report.result.segmentation),
                "notices": report.notices,
                **facts,
            }
        )
    )


def print_summary(report: RunReport, output: Path) -> None:
    """Print what a person wants to know at the end."""
    for notice in report.notices:
        note(notice)
    for result in report.result.labels:
        summary = _label_summary(report, result)
        overlap = f", DSC {summary['dice']:.3f}" if summary["dice"] is not None else ""
        say(
            f"class {result.label}: {summary['foreground_voxels']} voxels on {summary['foreground_slices']} of "
            f"{len(result.reverse_scores)} slices, {len(result.supports)} supports, "
            f"conditional slices {list(result.selected)}{overlap}"
        )
    say(f"{one_line(str(output))} written after {sum(report.seconds.values()):.1f} s")


def _label_summary(report: RunReport, result: LabelResult) -> dict[str, Any]:
    mask = report.result.segmentation == result.label
    return {
        "label": result.label,
        "dice": report.label_dice(result.label),
        "foreground_voxels": int(mask.sum()),
        "foreground_slices": int(mask.any(axis=(1, 2)).sum()),
        "selected": result.selected,
        "supports": [{"volume": volume, "slice": index} for volume, index in result.supports],
    }
