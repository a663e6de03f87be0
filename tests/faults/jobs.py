"""What is done while something fails: whole commands and single saves, each in a folder of its own.

`tests.faults.process` forks a process for each; a network that needs no model stands in for the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import matplotlib.figure  # noqa: F401 - loaded once, before processes are forked
import torch

from napari_revsam2.cli import figure, main
from napari_revsam2.evaluation.experiment import computation
from napari_revsam2.evaluation.report import summary
from napari_revsam2.evaluation.report.table import left_out
from napari_revsam2.plugin.files.session_data import Session
from napari_revsam2.plugin.files.session_file import load_session, save_session
from napari_revsam2.sam2_backend import loading
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings
from tests.cli.conftest import phantom, save
from tests.engine.fake_propagator import FakePropagator
from tests.evaluation.conftest import write_subject
from tests.plugin.files import session_values

Job = Callable[[Path], int]
OUTPUT = "output"
"""Folder in a job's folder where it writes."""
CACHE = "cache"
"""Folder in a job's folder that is the user's cache."""


def prepare(folder: Path) -> Path:
    """Write what the jobs read, and create the folder that they write to."""
    (folder / OUTPUT).mkdir(parents=True)
    for name, shift in (("image", 0), ("query", 2)):
        image, labels = phantom(5, shift)
        save(folder / f"{name}.nii.gz", image)
        save(folder / f"{name}_labels.nii.gz", labels)
    subjects = [write_subject(folder, f"subject_{i}", shift=i) for i in range(3)]
    splits = ("training", "training", "test")
    lines = [f"{s.image.name},{s.labels.name},{split}" for s, split in zip(subjects, splits, strict=True)]
    (folder / "pairs.csv").write_text("\n".join(["image,labels,split", *lines]), encoding="utf-8")
    session_values.write(folder / "session.npz")
    return folder


def segment(folder: Path) -> int:
    """Segment a small volume, with all outputs there are."""
    loading.load_with_store = lambda config: StoredEmbeddings(FakePropagator())
    figure._COLUMNS, figure._ROWS = 2, 1  # instead of twelve panels, which take a second
    output = folder / OUTPUT
    return main(
        [
            *("segment", "--support", str(folder / "image.nii.gz"), str(folder / "image_labels.nii.gz")),
            *("--query", str(folder / "query.nii.gz"), "--output", str(output / "mask.nii.gz")),
            *("--scores", str(output / "scores.csv"), "--figure", str(output / "figure.png"), "--mode", "forward"),
        ]
    )


def segment_with_cache(folder: Path) -> int:
    """Segment it with the real network and files of embeddings."""
    return main(
        [
            *("segment", "--support", str(folder / "image.nii.gz"), str(folder / "image_labels.nii.gz")),
            *("--query", str(folder / "query.nii.gz"), "--output", str(folder / OUTPUT / "mask.nii.gz")),
            *("--image-size", "64", "--n-support", "1", "--top-k", "1"),
        ]
    )


def evaluate(folder: Path) -> int:
    """Evaluate on one volume with supports of two others."""
    computation.load_with_store = lambda config: StoredEmbeddings(FakePropagator())
    summary.make_tables = lambda *_: (left_out("Table 5", "its numbers take a second"),)
    summary._pictures = lambda *_: ()  # they take two, and are written as all other files are
    settings = ("--window", "50,100", "--groups", "1", "--n-support", "4", "--top-k", "2", "--label", "1")
    modes = ("--modes", "revsam2", "forward")
    return main(["evaluate", str(folder / "pairs.csv"), "--output", str(folder / OUTPUT), *settings, *modes])


def save_a_session(folder: Path) -> int:
    """Write a session over an older one of other contents."""
    session = load_session(folder / "session.npz")
    assert session.result is not None
    save_session(folder / OUTPUT / "session.npz", Session(session.supports, session.form, session.run, session.result))
    return 0


def save_an_embedding(folder: Path) -> int:
    """Write the embedding of a slice into the cache."""
    embedding_files().save("slice", embedding())
    return 0


def embedding_files() -> EmbeddingFiles:
    """The files of a network of one number."""
    network = SimpleNamespace(image_size=8, device=torch.device("cpu"), state_dict=lambda: {"weight": torch.ones(1)})
    return EmbeddingFiles(network, "float32")  # type: ignore[arg-type]


def embedding() -> SliceEmbeddings:
    """An embedding of some kilobytes."""
    return SliceEmbeddings(*(torch.arange(1024.0).reshape(1, 4, 16, 16) + i for i in range(3)))
