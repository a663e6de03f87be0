"""A dataset of small labelled volumes, and a network that needs no model."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.evaluation.datasets.dataset import Dataset, Subject
from napari_revsam2.evaluation.experiment import work
from napari_revsam2.evaluation.experiment.case import open_stack
from napari_revsam2.evaluation.experiment.protocol import shown_slices
from tests.engine.fake_propagator import FakePropagator

ORGAN, VESSEL = 1, 2


def write_subject(folder: Path, name: str, shift: int = 0, n_slices: int = 14) -> Subject:
    """An organ (grey value 100) on slices 2 to 11, a vessel (50) on all but the first; 20 x 16 pixels."""
    labels = np.zeros((16, 20, n_slices), np.uint8)
    labels[2:8, 3 + shift : 9 + shift, 2:12] = ORGAN
    labels[10:13, 4:8, 1:] = VESSEL
    image = np.array([0, 100, 50], np.int16)[labels]
    affine = np.diag([2.0, 1.5, 3.0, 1])
    paths = folder / f"{name}.nii.gz", folder / f"{name}_labels.nii.gz"
    for path, data in zip(paths, (image, labels), strict=True):
        nib.save(nib.Nifti1Image(data, affine), path)
    return Subject(name, *paths)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    shown_slices.cache_clear()
    open_stack.cache_clear()


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Five subjects without a split."""
    folder = tmp_path / "volumes"
    folder.mkdir()
    subjects = tuple(write_subject(folder, f"subject_{i}", shift=i) for i in range(5))
    return Dataset("phantoms", {ORGAN: "organ", VESSEL: "vessel"}, subjects, window="50,100")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakePropagator:
    """The network that works load."""
    fake = FakePropagator()
    monkeypatch.setattr(work, "_network", lambda config: fake)
    return fake
