"""Pictures of an evaluation: Figure 4, and masks of the best, a middling and the worst case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from napari_revsam2.engine.dice import dice
from napari_revsam2.evaluation.experiment.measures import rank_correlation
from napari_revsam2.evaluation.experiment.result_rows import KEY, ResultRow, SliceRow
from napari_revsam2.figures.overlay import COLOURS, outline, spread_slices
from napari_revsam2.settings.config import Mode
from napari_revsam2.volume_files import replaced_file

from .section import at_usual, sections, to_frame

_SCORE, _SCORE_TRUTH = COLOURS[5], COLOURS[6]
_MASK, _MASK_TRUTH = COLOURS[0], COLOURS[1]
_PANELS = 6
_DPI = 110


@dataclass(frozen=True)
class Overlay:
    """A query volume with its true and its found mask.

    Attributes
    ----------
    title : str
        What is shown, on one line.
    images : ndarray
        (M, H, W).
    limits : (float, float)
        Grey values shown black and white.
    truth, mask : ndarray
        (M, H, W) of bool.
    aspect : float
        Height of a pixel by its width.
    """

    title: str
    images: NDArray[np.float32]
    limits: tuple[float, float]
    truth: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    aspect: float = 1.0


def best_median_worst(rows: Sequence[ResultRow]) -> tuple[ResultRow, ...]:
    """Choose, by DSC, among rows of mode ``revsam2`` at the paper's N and k (or the largest there are).

    Returns
    -------
    tuple of ResultRow
        Best, median and worst; fewer where there are fewer rows, none twice.
    """
    ordered = _ordered(to_frame(rows, ResultRow))
    places = dict.fromkeys((len(ordered) - 1, len(ordered) // 2, 0)) if ordered else {}
    return tuple(rows[ordered[place]] for place in places)


def median_per_class(rows: Sequence[ResultRow]) -> tuple[ResultRow, ...]:
    """Choose, for each class of each dataset, the row of mode ``revsam2`` with the median DSC: what Figure 4 shows."""
    chosen = []
    for section in sections(to_frame(rows, ResultRow)):
        for name in section.classes:
            ordered = _ordered(section.results[section.results["class_name"] == name])
            chosen += ordered[len(ordered) // 2 : len(ordered) // 2 + 1]
    return tuple(rows[place] for place in chosen)


def score_chart(path: Path, slices: Sequence[SliceRow], cases: Sequence[ResultRow]) -> None:
    """Draw Figure 4: ``pi`` and the DSC of ``p_i`` along the volume, a line for each case, a column for each N.

    Parameters
    ----------
    path : Path
        The picture; written beside it and renamed.
    slices : sequence of SliceRow
        Slices of these and other volumes.
    cases : sequence of ResultRow
        Which volume, class and group to draw, as from `median_per_class`.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    ValueError
        When there are no slices of these cases.
    """
    drawn = [(case, found) for case in cases if (found := _slices_of(case, slices))]
    if not drawn:
        raise ValueError("no slices of these cases to draw")
    counts = sorted({item.n_support for _, found in drawn for item in found}, reverse=True)
    figure = Figure(figsize=(4.2 * len(counts), 0.6 + 2.5 * len(drawn)), layout="constrained")
    panels = figure.subplots(len(drawn), len(counts), sharey=True, squeeze=False)
    for line, (case, found) in zip(panels, drawn, strict=True):
        for panel, n_support in zip(line, counts, strict=True):
            _draw_scores(panel, [item for item in found if item.n_support == n_support], f"N = {n_support}")
        line[0].set_ylabel(f"{case.class_name}\n{case.dataset}, {case.volume}\n%", fontsize=9, parse_math=False)
    for panel in panels[-1]:
        panel.set_xlabel("query slice")
    entries = [
        Line2D([], [], color=_SCORE, label=r"reverse score $\pi$"),
        Line2D([], [], color=_SCORE_TRUTH, linestyle="dashed", label="true DSC of forward propagation"),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=2, frameon=False)
    _save(figure, path)


def montage(path: Path, cases: Sequence[Overlay]) -> None:
    """Draw slices of each case on a line of its own, spread over those that truth or mask shows.

    Raises
    ------
    VolumeFileError
        When the file can't be written.
    ValueError
        When there are no cases.
    """
    if not cases:
        raise ValueError("no cases to draw")
    figure = Figure(figsize=(12, 0.4 + 2.5 * len(cases)), layout="constrained")
    parts = figure.subfigures(len(cases), 1, squeeze=False).ravel()
    for part, case in zip(parts, cases, strict=True):
        _draw_case(part, case)
    entries = [Line2D([], [], color=_MASK, label="RevSAM2"), Line2D([], [], color=_MASK_TRUTH, label="truth")]
    figure.legend(handles=entries, loc="outside upper center", ncols=2, frameon=False)
    _save(figure, path)


def _ordered(results: pd.DataFrame) -> list[int]:
    """Places of the method's rows in its usual setting, from the lowest DSC to the highest."""
    ours = at_usual(results[results["mode"] == Mode.REVSAM2.value], "n_support", "top_k")
    places: list[int] = ours.dropna(subset=["dsc"]).sort_values(["dsc", *KEY]).index.tolist()
    return places


def _slices_of(case: ResultRow, slices: Sequence[SliceRow]) -> list[SliceRow]:
    return sorted((item for item in slices if item.case == case.case), key=lambda item: item.slice)


def _draw_scores(panel: Axes, slices: Sequence[SliceRow], title: str) -> None:
    """Draw one volume at one N; slices where forward propagation found nothing have no score to speak of."""
    known = [item for item in slices if item.nonempty]
    correlation = rank_correlation([item.reverse_score for item in known], [item.dice for item in known])
    panel.set_title(
        title + ("" if isnan(correlation) else rf", rank correlation $\rho$ = {correlation:.2f}"), fontsize=9
    )
    positions = [item.slice for item in slices]
    scores = [100 * item.reverse_score if item.nonempty else np.nan for item in slices]
    panel.plot(positions, scores, color=_SCORE, marker=".", linewidth=1)
    panel.plot(
        positions, [100 * item.dice for item in slices], color=_SCORE_TRUTH, marker=".", linewidth=1, linestyle="dashed"
    )
    panel.set_ylim(-3, 103)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.3)


def _draw_case(part: SubFigure, case: Overlay) -> None:
    part.suptitle(case.title, fontsize=10, x=0.01, ha="left", parse_math=False)
    panels = part.subplots(1, _PANELS, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    shown = np.asarray((case.truth | case.mask).any(axis=(1, 2)))
    low, high = case.limits
    for panel, index in zip(panels, spread_slices(shown, _PANELS), strict=False):
        panel.imshow(case.images[index], cmap="gray", vmin=low, vmax=high, aspect=case.aspect)
        outline(panel, case.truth[index], _MASK_TRUTH, "solid")
        outline(panel, case.mask[index], _MASK, "solid")
        panel.set_title(f"slice {index}, DSC {dice(case.mask[index], case.truth[index]):.2f}", fontsize=9)


def _save(figure: Figure, path: Path) -> None:
    with replaced_file(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)
