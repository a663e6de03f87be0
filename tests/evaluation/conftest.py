"""A dataset of small labelled volumes, and a network that needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.evaluation.datasets.dataset import Dataset, Subject
from napari_revsam2.evaluation.datasets.labelled_stack import labelled_slices, read_labelled_stack
from napari_revsam2.evaluation.experiment import computation
from napari_revsam2.evaluation.experiment.job import Job
from napari_revsam2.evaluation.experiment.protocol import Setting
from napari_revsam2.evaluation.experiment.support_group import SupportChoice
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from tests.engine.fake_propagator import FakePropagator

ORGAN, VESSEL = 1, 2


def write_subject(folder: Path, name: str, shift: int = 0, n_slices: int = 14) -> Subject:
    """An organ (grey value 100) on slices 2 to 11, a vessel (50) on all but the first; 20 x 16 pixels.

    A corner pixel makes each slice of each volume another one, as embeddings are found by what a slice shows.
    """
    labels = np.zeros((16, 20, n_slices), np.uint8)
    labels[2:8, 3 + shift : 9 + shift, 2:12] = ORGAN
    labels[10:13, 4:8, 1:] = VESSEL
    image = np.array([0, 100, 50], np.int16)[labels]
    image[0, 0] = -20 * shift - np.arange(n_slices)
    affine = np.diag([2.0, 1.5, 3.0, 1])
    paths = folder / f"{name}.nii.gz", folder / f"{name}_labels.nii.gz"
    for path, data in zip(paths, (image, labels), strict=True):
        nib.save(nib.Nifti1Image(data, affine), path)
    return Subject(name, *paths)


def job_of(query: Subject, supports: Sequence[SupportChoice], settings: Sequence[Setting] = (), **changed: Any) -> Job:
    """Segment the organ of a phantom."""
    values: dict[str, Any] = {
        "dataset": "phantoms", "support_dataset": "phantoms", "label": ORGAN, "support_label": ORGAN,
        "class_name": "organ", "group": 0, "axis": Axis.AXIAL, "config": RevSAM2Config(window="50,100"),
        "support_window": "50,100", "kept": Setting("revsam2", 4, 7), "tolerance": 2.0,
    }  # fmt: skip
    return Job(query=query, supports=tuple(supports), settings=tuple(settings), **(values | changed))


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    for cached in (labelled_slices, read_labelled_stack, computation._network, computation._network_for):
        cached.cache_clear()


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Five subjects without a split."""
    folder = tmp_path / "volumes"
    folder.mkdir()
    subjects = tuple(write_subject(folder, f"subject_{i}", shift=i) for i in range(5))
    return Dataset("phantoms", {ORGAN: "organ", VESSEL: "vessel"}, subjects, window="50,100")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakePropagator:
    """The network that jobs load; its embeddings are kept in memory."""
    fake = FakePropagator()
    monkeypatch.setattr(computation, "load_with_store", lambda config: StoredEmbeddings(fake))
    return fake
