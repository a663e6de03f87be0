"""The paper's experiments from the command line."""

from __future__ import annotations

import csv
import json
import os
import shutil
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.cli import main
from napari_revsam2.evaluation.experiment import computation
from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError
from tests.engine.fake_propagator import FakePropagator
from tests.evaluation.conftest import write_subject


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five subjects in a CSV file of pairs, and a network that needs no model."""
    monkeypatch.setattr(computation, "load_with_store", lambda config: StoredEmbeddings(FakePropagator()))
    folder = tmp_path / "phantoms"
    folder.mkdir()
    subjects = [write_subject(folder, f"subject_{i}", shift=i) for i in range(5)]
    lines = [f"{subject.image.name},{subject.labels.name}" for subject in subjects]
    table = folder / "phantoms.csv"
    table.write_text("\n".join(["image,labels", *lines]), encoding="utf-8")
    (folder / "classes.csv").write_text("id,name\n1,organ\n2,vessel\n", encoding="utf-8")
    return table


def evaluate(pairs: Path, output: Path, *more: str) -> int:
    settings = ("--window", "50,100", "--groups", "2", "--n-support", "4", "1", "--top-k", "7", "3")
    return main(["evaluate", str(pairs), "--output", str(output), *settings, *more])


def test_an_evaluation_leaves_results_tables_pictures_report_and_provenance(pairs, tmp_path, capsys):
    output = tmp_path / "output"
    assert evaluate(pairs, output) == 0
    assert {path.name for path in output.iterdir()} == {
        ".lock",
        "best_median_and_worst_case.png",
        "figure_4_reverse_score_and_dsc.png",
        "masks",
        "provenance.json",
        "report.html",
        "results.csv",
        "settings.json",
        "slices.csv",
        "tables.md",
    }
    printed = capsys.readouterr().out
    assert "## Table 5" in printed
    (row,) = (line for line in printed.splitlines() if line.startswith("| organ | RevSAM2 |"))
    assert row.count("100.00") == 2  # N = 4 and N = 1


class Nothing:
    """A system that finds nothing, at once."""

    def segment(self, supports, label, query, spacing, truth):
        return np.zeros(query.shape, bool)


def test_a_second_call_adds_what_is_new_and_nothing_twice(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(computation, "find_systems", lambda names, config: (Nothing(),))
    output = tmp_path / "output"
    evaluate(pairs, output)
    evaluate(pairs, output, "--compare", "registration", "--label", "1")
    with (output / "results.csv").open(newline="") as file:
        rows = [tuple(row.values())[:9] for row in csv.DictReader(file)]
    assert len(rows) == len(set(rows)) == 2 * 2 * 2 * 10 + 2 * 2


def test_provenance_tells_the_command_and_no_folder(pairs, tmp_path):
    evaluate(pairs, tmp_path / "output", "--label", "1")
    text = (tmp_path / "output" / "provenance.json").read_text(encoding="utf-8")
    assert json.loads(text)["datasets"] == [{"name": "phantoms", "window": "50,100", "axis": "axial"}]
    assert len(json.loads(text)["checkpoint"]["sha256"]) == 64
    assert json.loads(text)["command"][:2] == ["evaluate", "phantoms.csv"]
    for name in ("provenance.json", "settings.json", "report.html", "results.csv"):
        assert str(tmp_path) not in (tmp_path / "output" / name).read_text(encoding="utf-8")


def test_all_processes_are_told_the_precision_that_this_one_computes_with(pairs, tmp_path):
    evaluate(pairs, tmp_path / "output", "--label", "1", "--groups", "1", "--precision", "auto")
    settings = json.loads((tmp_path / "output" / "settings.json").read_text(encoding="utf-8"))
    assert settings["precision"] in {"float32", "bfloat16", "float16"}
    provenance = json.loads((tmp_path / "output" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["settings"]["precision"] == settings["precision"]


def test_supports_of_another_dataset_of_the_same_name_are_refused(pairs, tmp_path, capsys):
    other = shutil.copytree(pairs.parent, tmp_path / "other") / pairs.name
    assert evaluate(pairs, tmp_path / "output", "--supports-from", str(other)) == 2
    assert "two datasets called phantoms: rename one of them" in capsys.readouterr().err


def test_supports_of_another_dataset_may_have_a_window_of_their_own(pairs, tmp_path):
    other = shutil.copytree(pairs.parent, tmp_path / "other") / "others.csv"
    (other.parent / pairs.name).rename(other)
    more = ("--supports-from", str(other), "--supports-window", "abdomen", "--label", "1", "--groups", "1")
    assert evaluate(pairs, tmp_path / "output", *more) == 0
    text = (tmp_path / "output" / "provenance.json").read_text(encoding="utf-8")
    windows = {dataset["name"]: dataset["window"] for dataset in json.loads(text)["datasets"]}
    assert windows == {"phantoms": "50,100", "others": "abdomen"}


def test_a_class_given_twice_is_segmented_once(pairs, tmp_path):
    evaluate(pairs, tmp_path / "output", "--label", "1", "1", "--groups", "1", "--modes", "forward")
    rows = (tmp_path / "output" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 2 * 2  # volumes and N


def test_a_volume_that_left_the_dataset_is_not_in_the_montage(pairs, tmp_path):
    table = pairs.read_text(encoding="utf-8").splitlines()
    split = [f"{line},{part}" for line, part in zip(table, ["split", *["training"] * 3, *["test"] * 2], strict=True)]
    pairs.write_text("\n".join(split), encoding="utf-8")
    evaluate(pairs, tmp_path / "output", "--label", "1")
    pairs.write_text("\n".join(split[:-1]), encoding="utf-8")
    assert evaluate(pairs, tmp_path / "output", "--label", "1") == 0


def test_a_system_that_cannot_be_had_is_left_out_with_the_reason(pairs, tmp_path, capsys):
    assert evaluate(pairs, tmp_path / "output", "--compare", "universeg", "--label", "1") == 0
    assert "universeg is left out. UniverSeg isn't on PyPI" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--label", "9"], "has no class 9"),
        (["--compare", "magic"], "There is no system 'magic'"),
        (["--description", "magic"], "magic"),
        (["--window", "magic"], "The window 'magic' isn't known"),
        (["--supports-from", "nowhere.csv"], "nowhere.csv"),
        (["--checkpoint", "nowhere.pt"], "nowhere.pt"),
        (["--scheduler", "nonsense"], "There is no Dask scheduler at nonsense"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(pairs, tmp_path, capsys, more, message):
    assert evaluate(pairs, tmp_path / "output", *more) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "output" / "results.csv").exists()


def test_a_volume_that_cannot_be_read_is_told_when_the_others_are_done(pairs, tmp_path, capsys):
    splits = ["split", *["training"] * 3, *["test"] * 2]
    lines = pairs.read_text(encoding="utf-8").splitlines()
    split_lines = [f"{line},{split}" for line, split in zip(lines, splits, strict=True)]
    pairs.write_text("\n".join(split_lines), encoding="utf-8")
    (pairs.parent / "subject_4.nii.gz").write_bytes(b"no image")
    assert evaluate(pairs, tmp_path / "output", "--label", "1") == 2
    error = capsys.readouterr().err
    assert "jobs failed. " in error
    assert "subject_4.nii.gz" in error
    assert "subject_3" in (tmp_path / "output" / "results.csv").read_text()


def test_a_support_that_cannot_be_read_is_told_once_with_the_volumes_it_spoils(pairs, tmp_path, capsys):
    splits = ["split", *["training"] * 3, *["test"] * 2]
    lines = pairs.read_text(encoding="utf-8").splitlines()
    split_lines = [f"{line},{split}" for line, split in zip(lines, splits, strict=True)]
    pairs.write_text("\n".join(split_lines), encoding="utf-8")
    (pairs.parent / "subject_1.nii.gz").write_bytes(b"no image")
    assert evaluate(pairs, tmp_path / "output", "--label", "1") == 2
    error = capsys.readouterr().err
    assert error.count("subject_1.nii.gz") == 1
    assert "subject_3, subject_4: " in error


def test_an_output_without_greek_letters_ends_no_evaluation(pairs, tmp_path, monkeypatch):
    narrow = TextIOWrapper(BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", narrow)
    assert evaluate(pairs, tmp_path / "output", "--label", "1", "--groups", "1") == 0
    narrow.flush()
    assert b"What ? is worth" in narrow.buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("table", "output"),
    [
        ("slices.csv", "."),
        ("results.csv", "."),
        ("phantoms.csv", "other name"),
        ("phantoms.csv", "link"),
        ("phantoms.csv", "masks of earlier"),
    ],
)
def test_no_result_takes_the_place_of_what_is_read(pairs, tmp_path, capsys, table, output):
    folder = pairs.parent
    table = pairs.rename(folder / table)
    for other, make in (("other name", os.link), ("link", os.symlink)):
        (folder / other).mkdir()
        make(table, folder / other / "slices.csv")
    (folder / "masks of earlier").mkdir()
    shutil.copytree(folder, folder / "masks of earlier" / "masks", ignore=lambda *_: ["masks of earlier"])
    if output == "masks of earlier":
        table = folder / output / "masks" / table.name
    before = contents(folder)
    assert evaluate(table, folder / output, "--label", "1") == 2
    message = capsys.readouterr().err
    assert "is also an input" in message or "is read, but" in message
    assert message.count("\n") == 1
    assert contents(folder) == before


def test_no_result_lies_in_a_dataset_that_is_a_folder(pairs, tmp_path, capsys):
    folder = pairs.parent
    pairs.unlink()
    for number in range(5):
        for old, new in (("", "_T1w"), ("_labels", "_dseg")):
            (folder / f"subject_{number}{old}.nii.gz").rename(folder / f"sub-{number}{new}.nii.gz")
    before = contents(folder)
    (tmp_path / "link").symlink_to(folder)
    for output in (folder / "results", tmp_path / "link" / "results", folder):
        assert evaluate(folder, output, "--label", "1") == 2
        assert "which is a folder that is read as a whole" in capsys.readouterr().err
    assert contents(folder) == before


def test_results_may_lie_beside_the_table_of_volumes(pairs):
    assert evaluate(pairs, pairs.parent, "--label", "1", "--groups", "1", "--modes", "forward") == 0


def test_weights_in_a_file_are_found_from_any_folder(pairs, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        computation, "load_with_store", lambda c: seen.append(c.checkpoint) or StoredEmbeddings(FakePropagator())
    )
    monkeypatch.chdir(tmp_path)
    Path("own.pt").write_bytes(b"weights")
    evaluate(pairs, tmp_path / "output", "--checkpoint", "own.pt", "--label", "1", "--groups", "1")
    assert set(seen) == {str(tmp_path / "own.pt")}  # a Dask worker may be in another one


@pytest.mark.parametrize(("more", "is_resolved"), [((), True), (("--scheduler", "tcp://elsewhere:8786"), False)])
def test_precision_and_device_are_chosen_once_for_all_workers_of_this_machine(
    pairs, tmp_path, monkeypatch, more, is_resolved
):
    def record(experiment: Experiment, *_: object) -> None:
        configs.append(experiment.config)
        raise ProblemError("Enough.")

    configs: list[RevSAM2Config] = []
    monkeypatch.setattr("napari_revsam2.cli.evaluate.run_experiment", record)
    assert evaluate(pairs, tmp_path / "output", *more) == 2
    (config,) = configs
    assert (config.precision is not Precision.AUTO) == is_resolved
    assert (config.device != "auto") == is_resolved


def test_two_datasets_of_one_name_are_refused(pairs, tmp_path, capsys):
    other = shutil.copytree(pairs.parent, tmp_path / "other") / pairs.name
    assert main(["evaluate", str(pairs), str(other), "--output", str(tmp_path / "output")]) == 2
    assert "Two datasets are called phantoms: rename one of the folders" in capsys.readouterr().err
