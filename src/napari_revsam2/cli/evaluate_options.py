"""Options of ``napari-revsam2 evaluate``."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from napari_revsam2.settings.config import Mode
from napari_revsam2.vocabulary.axis import Axis

AXIS_HELP = "the body axis that slices are cut along (default: axial)"


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add what is varied; the settings of single runs are added beside it."""
    add = parser.add_argument
    add(
        "dataset",
        type=Path,
        nargs="+",
        help="a folder in the layout of the Medical Segmentation Decathlon, nnU-Net or BIDS derivatives, or a CSV file "
        "of images and labels (docs/datasets.md)",
    )
    add("--output", type=Path, required=True, metavar="FOLDER", help="results; a second call resumes where one stopped")
    add("--description", metavar="NAME", help="btcv, abdomenct-1k, synapse-ct or chaos-mri: classes, split and window")
    add(
        "--supports-from",
        type=Path,
        metavar="DATASET",
        help="draw supports from another dataset (Table 3); classes go by name",
    )
    add("--supports-description", metavar="NAME", help="the ready description of that other dataset")
    add("--supports-window", metavar="WINDOW", help="grey values of that other dataset (default: --window, or its own)")
    add("--label", type=int, nargs="+", action="extend", metavar="ID", help="classes; default: all")
    add("--axis", type=Axis, choices=list(Axis), metavar="|".join(Axis), help=AXIS_HELP)
    add("--window", help="grey values shown to the model (default: the dataset's, or percentile:0.5,99.5)")
    add(
        "--n-support",
        type=_count,
        nargs="+",
        default=[10, 5, 1],
        metavar="N",
        help="painted slices; a class goes without an N for which its support volumes have too few (default: 10 5 1)",
    )
    add(
        "--top-k",
        type=_count,
        nargs="+",
        default=[7, 9, 3, 1],
        metavar="K",
        help="k of mode revsam2; mode random takes 7 of them, or the largest (default: 7 9 3 1)",
    )
    add(
        "--modes",
        type=Mode,
        nargs="+",
        choices=list(Mode),
        default=list(Mode),
        metavar="MODE",
        help="rows of Table 5 (default: revsam2 forward fifo random)",
    )
    add("--groups", type=_count, default=3, help="support sets a class, whose results are averaged (default: 3)")
    add("--one-shot", action="store_true", help="also the protocol of Table 4: one support slice")
    add(
        "--compare",
        nargs="+",
        action="extend",
        default=[],
        metavar="SYSTEM",
        help="prompts of Table 1 (points-1, points-3, box, mask) and other systems (registration, nnunet, universeg)",
    )
    add("--tolerance", type=_millimetres, default=2.0, metavar="MM", help="of the NSD, in mm (default: 2)")
    add("--workers", type=_count, default=1, help="processes on this machine (default: 1)")
    add("--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler, whose workers see the same files")


def _millimetres(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number from 0")
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number from 1")
    return int(text)
