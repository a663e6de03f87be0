"""Options of ``napari-revsam2 evaluate``."""

from __future__ import annotations

import argparse

from napari_revsam2.settings.config import Mode
from napari_revsam2.vocabulary.axis import Axis

from .option_values import as_count, as_millimetres, as_name, as_one_of, as_path, as_whole_number

AXIS_HELP = "the body axis that slices are cut along (default: axial)"
_MOST = 1000
"""Groups or processes beyond which a number is a mistake."""


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add what is varied; the settings of single runs are added beside it."""
    add = parser.add_argument
    add(
        "dataset",
        type=as_path,
        nargs="+",
        help="a folder in the layout of the Medical Segmentation Decathlon, nnU-Net or BIDS derivatives, or a CSV file "
        "of images and labels (docs/datasets.md)",
    )
    add(
        "--output",
        type=as_path,
        required=True,
        metavar="FOLDER",
        help="results; a second call resumes where one stopped",
    )
    add(
        "--description",
        type=as_name,
        metavar="NAME",
        help="btcv, abdomenct-1k, synapse-ct or chaos-mri: classes, split and window",
    )
    add(
        "--supports-from",
        type=as_path,
        metavar="DATASET",
        help="draw supports from another dataset (Table 3); classes go by name",
    )
    add("--supports-description", type=as_name, metavar="NAME", help="the ready description of that other dataset")
    add(
        "--supports-window",
        type=as_name,
        metavar="WINDOW",
        help="grey values of that other dataset (default: --window, or its own)",
    )
    add("--label", type=as_whole_number, nargs="+", action="extend", metavar="ID", help="classes; default: all")
    add("--axis", type=as_one_of(Axis), metavar="|".join(Axis), help=AXIS_HELP)
    add(
        "--window", type=as_name, help="grey values shown to the model (default: the dataset's, or percentile:0.5,99.5)"
    )
    add(
        "--n-support",
        type=as_count(),
        nargs="+",
        default=[10, 5, 1],
        metavar="N",
        help="painted slices; a class goes without an N for which its support volumes have too few (default: 10 5 1)",
    )
    add(
        "--top-k",
        type=as_count(),
        nargs="+",
        default=[7, 9, 3, 1],
        metavar="K",
        help="k of mode revsam2; mode random takes 7 of them, or the largest (default: 7 9 3 1)",
    )
    add(
        "--modes",
        type=as_one_of(Mode),
        nargs="+",
        default=list(Mode),
        metavar="MODE",
        help="rows of Table 5 (default: revsam2 forward fifo random)",
    )
    add(
        "--groups",
        type=as_count(_MOST),
        default=3,
        help="support sets a class, whose results are averaged (default: 3)",
    )
    add("--one-shot", action="store_true", help="also the protocol of Table 4: one support slice")
    add(
        "--compare",
        type=as_name,
        nargs="+",
        action="extend",
        default=[],
        metavar="SYSTEM",
        help="prompts of Table 1 (points-1, points-3, box, mask) and other systems (registration, nnunet, universeg)",
    )
    add("--tolerance", type=as_millimetres, default=2.0, metavar="MM", help="of the NSD, in mm (default: 2)")
    add("--workers", type=as_count(_MOST), default=1, help="processes on this machine (default: 1)")
    add(
        "--scheduler",
        type=as_name,
        metavar="ADDRESS",
        help="a Dask scheduler, whose workers see the same files",
    )
