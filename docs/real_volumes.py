"""Run the paper's experiments on a folder of real labelled volumes: what docs/evaluation.md shows.

    python -m docs.real_volumes --data DIR --output FOLDER [--workers 2] [CASE ...]

``DIR`` holds ``abdomen/ct_a, ct_b, mr_a`` and ``hippocampus/hippocampus_NNN``, each ``.nii.gz`` with
``_labels.nii.gz``. For each case a CSV file of pairs is written into ``FOLDER``, and ``napari-revsam2 evaluate`` runs
on it; a second call goes on where one stopped.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from napari_revsam2.cli import main

CLASSES = {
    "abdomen": {1: "spleen", 5: "liver", 6: "stomach", 7: "aorta", 10: "vertebrae"},
    "hippocampus": {1: "anterior", 2: "posterior"},
}


@dataclass(frozen=True)
class Case:
    """What is segmented from what: stems of files below the data folder."""

    name: str
    training: tuple[str, ...]
    test: tuple[str, ...]
    classes: str
    window: str
    more: tuple[str, ...] = ()
    inverted: bool = False
    """Whether what is bright in the queries is made dark, to see what the contrast does."""


def cases(data: Path) -> list[Case]:
    """List all cases; the hippocampus has no split: three subjects support the other nine, in three draws."""
    subjects = tuple(
        f"hippocampus/{path.name.removesuffix('.nii.gz')}"
        for path in sorted((data / "hippocampus").glob("hippocampus_???.nii.gz"))
    )
    compared = ("--compare", "registration", "mask")
    return [
        Case("hippocampus", subjects, (), "hippocampus", "percentile:0.5,99.5", ("--one-shot", *compared)),
        Case("ct_a_to_ct_b", ("abdomen/ct_a",), ("abdomen/ct_b",), "abdomen", "abdomen", compared),
        Case("ct_a_to_mr_a", ("abdomen/ct_a",), ("abdomen/mr_a",), "abdomen", "percentile:0.5,99.5"),
        Case("ct_a_to_inverted_mr_a", ("abdomen/ct_a",), ("abdomen/mr_a",), "abdomen", "percentile:0.5,99.5", (), True),
        Case("ct_b_to_ct_a", ("abdomen/ct_b",), ("abdomen/ct_a",), "abdomen", "abdomen", ("--groups", "1")),
    ]


def write_pairs(case: Case, data: Path, folder: Path) -> Path:
    """Write the CSV file of a case, and the names of its classes beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{case.name}.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "labels", "split"])
        for stem in case.training:
            writer.writerow([data / f"{stem}.nii.gz", data / f"{stem}_labels.nii.gz", "training"])
        for stem in case.test:
            image = data / f"{stem}.nii.gz"
            if case.inverted:
                image = write_inverted(image, folder / image.name)
            writer.writerow([image, data / f"{stem}_labels.nii.gz", "test"])
    with (folder / "classes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "name"), *CLASSES[case.classes].items()])
    return table


def write_inverted(image: Path, target: Path) -> Path:
    """Write an image whose tissues have inverted grey values, and whose background stays dark."""
    volume = nibabel.load(image)
    values = np.asarray(volume.dataobj, np.float32)
    low, high = np.percentile(values, [0.5, 99.5])
    inverted = np.where(values < low + 0.03 * (high - low), 0, (high - values).clip(min=0))
    nibabel.save(nibabel.Nifti1Image(inverted.astype(np.float32), volume.affine), target)
    return target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help="default: all")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--workers", default="1")
    options = parser.parse_args()
    for case in cases(options.data.resolve()):
        if options.case and case.name not in options.case:
            continue
        folder = options.output / case.name
        table = write_pairs(case, options.data.resolve(), folder / "pairs")
        arguments = ["evaluate", str(table), "--output", str(folder), "--workers", options.workers]
        labels = [str(label) for label in CLASSES[case.classes]]
        if code := main([*arguments, "--window", case.window, "--label", *labels, *case.more]):
            sys.exit(code)
