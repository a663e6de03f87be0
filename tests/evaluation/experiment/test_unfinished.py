"""An evaluation that was cut off anywhere ends as one that wasn't."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.evaluation.experiment import computation, modes
from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.evaluation.experiment.protocol import Protocol
from napari_revsam2.evaluation.experiment.result_rows import SliceRow
from napari_revsam2.evaluation.experiment.results_folder import mask_path
from napari_revsam2.evaluation.experiment.row_file import RESULTS_FILE, SLICES_FILE, RowFile, read_results, read_slices
from tests.evaluation.conftest import ORGAN, VESSEL
from tests.evaluation.experiment.phantoms import run

STEP = 211
"""Every so many bytes a file is cut off."""


@pytest.fixture
def experiment(dataset, network, monkeypatch) -> Experiment:
    """One class, two queries, all modes; noisy images, so that scores differ; a clock that stands still."""
    for number, subject in enumerate(dataset.training):
        image = nib.load(subject.image)
        values = np.asarray(image.dataobj)
        noise = np.random.default_rng(number).normal(0, np.arange(1, values.shape[2] + 1), values.shape)
        nib.save(nib.Nifti1Image((values + noise).astype(np.int16), image.affine), subject.image)
    for module in (computation, modes):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    protocol = Protocol(n_support=(4, 1), top_k=(7, 3), groups=1)
    return Experiment(((dataset, dataset),), protocol, computation.RevSAM2Config(), labels=(ORGAN,))


@pytest.fixture
def whole(experiment, tmp_path) -> Path:
    """The folder of an evaluation that wasn't interrupted."""
    folder = tmp_path / "whole"
    run(experiment, folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cut_off(whole: Path, name: str, step: int) -> Iterator[Path]:
    """Copies of a folder in which one file ends early, also by a single byte and between any two lines."""
    data = (whole / name).read_bytes()
    lines = np.cumsum([len(line) for line in data.splitlines(keepends=True)[:-1]]) if name.endswith(".csv") else []
    for length in sorted({*range(0, len(data), step), *lines[::5], len(data) - 1}):
        folder = shutil.copytree(whole, whole.with_name(f"{Path(name).stem}_{length}"))
        (folder / name).write_bytes(data[:length])
        yield folder


@pytest.mark.parametrize("name", [RESULTS_FILE, SLICES_FILE])
def test_rows_that_were_cut_off_anywhere_are_whole_after_a_resume(experiment, whole, name):
    for folder in cut_off(whole, name, STEP):
        run(experiment, folder)
        assert contents(folder) == contents(whole), folder


def test_rows_that_were_cut_off_have_their_rank_correlation_after_a_resume(experiment, whole):
    assert any(row.mode == "random" and row.rank_correlation > 0 for row in read_results(whole))


def test_a_mask_that_was_cut_off_is_computed_again(experiment, whole):
    rows = {row.key: repr(row) for row in read_results(whole)}
    (row, *_) = (row for row in read_results(whole) if mask_path(whole, row).exists())
    name = str(mask_path(whole, row).relative_to(whole))
    truth = nib.load(whole / name).get_fdata()
    for folder in cut_off(whole, name, 61):
        run(experiment, folder)
        np.testing.assert_array_equal(nib.load(folder / name).get_fdata(), truth)
        assert {row.key: repr(row) for row in read_results(folder)} == rows
        assert len(read_slices(folder)) == len(list(RowFile(folder / SLICES_FILE, SliceRow).read()))


@pytest.mark.parametrize("name", [SLICES_FILE, "masks"])
def test_what_somebody_has_deleted_is_not_computed_again(experiment, whole, network, name):
    shutil.rmtree(whole / name) if name == "masks" else (whole / name).unlink()
    embedded, results = len(network.embedded), (whole / RESULTS_FILE).read_bytes()
    assert run(experiment, whole)[-1].total == 0
    assert len(network.embedded) == embedded
    assert (whole / RESULTS_FILE).read_bytes() == results


def test_rows_that_are_not_asked_for_stay_though_their_slices_were_cut_off(experiment, whole):
    before = (whole / RESULTS_FILE).read_bytes()
    (whole / SLICES_FILE).write_bytes((whole / SLICES_FILE).read_bytes()[:200])
    run(replace(experiment, labels=(VESSEL,)), whole)
    assert (whole / RESULTS_FILE).read_bytes().startswith(before)


def test_another_k_that_is_interrupted_costs_no_row_of_the_first(experiment, whole):
    before = (whole / RESULTS_FILE).read_bytes()
    more = replace(experiment, protocol=replace(experiment.protocol, top_k=(7, 3, 2)))
    run(more, whole)
    after = contents(whole)
    for length in range(len(before), len(after[RESULTS_FILE]), 50):
        (whole / RESULTS_FILE).write_bytes(after[RESULTS_FILE][:length])
        run(more, whole)
        assert (whole / RESULTS_FILE).read_bytes() == after[RESULTS_FILE]
