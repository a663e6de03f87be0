"""A picture of a result: slices with outlines above, the reverse score along the volume below."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume
from napari_revsam2.figures.overlay import COLOURS, outline, spread_slices
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import check_folder, replaced_file

from .run_report import RunReport

_COLUMNS, _ROWS = 6, 2
_FORMATS = (".png", ".pdf", ".svg")


def check_figure(path: Path) -> None:
    """Refuse a figure that couldn't be written later, without creating it.

    Raises
    ------
    VolumeFileError
        When its ending isn't known, or its place doesn't take it.
    """
    if path.suffix.lower() not in _FORMATS:
        raise VolumeFileError(f"{path} can't be written: a figure's name ends in {', '.join(_FORMATS)}.")
    check_folder(path)


def write_figure(path: Path, query: QueryVolume, report: RunReport, pixel_aspect: float) -> None:
    """Draw twelve slices through the segmented range and ``pi`` per slice; the format follows the path's ending.

    Parameters
    ----------
    path : Path
        The file; written beside it and renamed.
    query : QueryVolume
        The slices and their grey values.
    report : RunReport
        What was found on them.
    pixel_aspect : float
        Height of a pixel over its width, in mm.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    """
    figure = Figure(figsize=(12, 7.2), layout="constrained")
    montage, curve = np.asarray(figure.subfigures(2, 1, height_ratios=(2.2, 1)))
    panels = montage.subplots(_ROWS, _COLUMNS).ravel()
    chosen = _interesting_slices(report)
    for panel in panels:
        panel.set_axis_off()
    for panel, index in zip(panels, chosen, strict=False):
        _draw_slice(panel, query, report, index)
        panel.set_aspect(pixel_aspect)
    montage.legend(handles=_legend(report), loc="outside upper center", ncols=8, frameon=False)
    _draw_scores(curve.subplots(), report)
    with replaced_file(path) as temporary:
        figure.savefig(temporary, dpi=110, format=path.suffix.lower().removeprefix("."))


def _interesting_slices(report: RunReport) -> NDArray[np.intp]:
    """Slices spread over the range where something was found (or is); the whole volume where nothing was."""
    shown = np.asarray(report.result.segmentation.any(axis=(1, 2)))
    if report.truth is not None:
        shown = shown | report.truth.any(axis=(1, 2))
    return spread_slices(shown, _COLUMNS * _ROWS)


def _draw_slice(panel: Axes, query: QueryVolume, report: RunReport, index: int) -> None:
    low, high = query.limits
    panel.imshow(np.asarray(query.slices[index]), cmap="gray", vmin=low, vmax=high)
    selected = [result.label for result in report.result.labels if index in result.selected]
    panel.set_title(f"slice {index}" + (" (conditional)" if selected else ""), fontsize=9)
    for number, result in enumerate(report.result.labels):
        colour = COLOURS[number % len(COLOURS)]
        outline(panel, report.result.segmentation[index] == result.label, colour, "solid")
        if report.truth is not None:
            outline(panel, report.truth[index] == result.label, colour, "dotted")


def _legend(report: RunReport) -> list[Line2D]:
    entries = []
    for number, result in enumerate(report.result.labels):
        overlap = report.label_dice(result.label)
        text = f"class {result.label}" + (f" (DSC {overlap:.2f})" if overlap is not None else "")
        entries.append(Line2D([], [], color=COLOURS[number % len(COLOURS)], label=text))
    if report.truth is not None:
        entries.append(Line2D([], [], color="0.4", linestyle="dotted", label="truth"))
    return entries


def _draw_scores(axes: Axes, report: RunReport) -> None:
    for number, result in enumerate(report.result.labels):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(result.reverse_scores, color=colour, marker=".", linewidth=1)
        chosen = list(result.selected)
        axes.plot(chosen, result.reverse_scores[chosen], "o", color=colour, markersize=8, markerfacecolor="none")
    axes.set(xlabel="query slice", ylabel=r"reverse score $\pi$", ylim=(-0.03, 1.03))
    axes.set_title("circles: the conditional slices", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
