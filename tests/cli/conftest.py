"""Two small volumes in files: a painted support and a query."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])


def save(path: Path, data: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def phantom(n_slices: int = 6, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A bright ellipsoid (class 1) beside a dark one (class 2) in noise; image and labels (X, Y, Z)."""
    x, y, z = np.mgrid[:40, :36, :n_slices]
    middle = (n_slices - 1) / 2
    labels = np.zeros((40, 36, n_slices), np.uint8)
    for label, centre in ((1, 14 + shift), (2, 27 + shift)):
        inside = ((x - centre) / 7) ** 2 + ((y - 18) / 8) ** 2 + ((z - middle) / (0.4 * n_slices)) ** 2 < 1
        labels[inside] = label
    noise = np.random.default_rng(0).normal(0, 20, labels.shape)
    return (np.array([300, 700, 80])[labels] + noise).astype(np.int16), labels


@dataclass(frozen=True)
class Files:
    image: Path
    labels: Path
    query: Path
    truth: Path
    output: Path

    def arguments(self, **changed: object) -> list[str]:
        """Arguments of a valid ``segment`` call, with some values changed."""
        values = {"image": self.image, "labels": self.labels, "query": self.query, "output": self.output} | changed
        support = ["--support", str(values["image"]), str(values["labels"])]
        return ["segment", *support, "--query", str(values["query"]), "--output", str(values["output"])]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    image, labels = phantom()
    query, truth = phantom(5, shift=2)
    return Files(
        save(tmp_path / "image.nii.gz", image),
        save(tmp_path / "labels.nii.gz", labels),
        save(tmp_path / "query.nii.gz", query),
        save(tmp_path / "truth.nii.gz", truth),
        tmp_path / "mask.nii.gz",
    )
