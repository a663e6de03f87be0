"""An evaluation's folder holds rows of one kind of settings, from one process, and masks that can be told apart."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.evaluation.experiment.results_folder import mask_path
from napari_revsam2.evaluation.experiment.row_file import read_results
from napari_revsam2.evaluation.experiment.runner import run_experiment
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from napari_revsam2.volume_files import read_labels
from tests.evaluation.conftest import ORGAN, VESSEL
from tests.evaluation.experiment.phantoms import PROTOCOL, run


def test_results_of_other_settings_are_not_mixed(experiment, network, tmp_path):
    run(experiment, tmp_path)
    other = replace(experiment, tolerance=1.0)
    with pytest.raises(ProblemError, match=r"other settings \(NSD tolerance, mm 2.0\): use those, or choose"):
        run(other, tmp_path)


@pytest.mark.parametrize(
    "changed",
    [lambda d: replace(d, training=d.training[1:]), lambda d: replace(d, classes={ORGAN: "liver", VESSEL: "vessel"})],
    ids=["a training volume less", "another name for a class"],
)
def test_results_of_another_dataset_of_the_same_name_are_not_mixed(experiment, network, dataset, tmp_path, changed):
    run(experiment, tmp_path)
    other = changed(dataset)
    with pytest.raises(ProblemError, match="other settings \\(supports from phantoms, class 1, group 0 'organ: "):
        run(replace(experiment, pairs=((other, other),)), tmp_path)


def test_settings_name_no_folder_of_a_checkpoint(experiment, network, tmp_path):
    config = RevSAM2Config(checkpoint=str(tmp_path / "own.pt"))
    run(replace(experiment, config=config), tmp_path)
    assert json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))["checkpoint"] == "own.pt"


def test_settings_that_left_no_row_bind_nobody(experiment, network, tmp_path):
    steps = run_experiment(experiment, tmp_path)
    next(steps)  # the plan
    steps.close()
    run(replace(experiment, tolerance=1.0, labels=(ORGAN,)), tmp_path)
    with pytest.raises(ProblemError, match="other settings"):
        run(experiment, tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "[]", '""', "null", "7", '[["seed", 0]]', '{"seed": [0]}', "[" * 100_000, "\ufeff{}"],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_settings_of_another_form_are_told_in_words(experiment, network, tmp_path, text):
    run(replace(experiment, labels=(ORGAN,)), tmp_path)
    (tmp_path / "settings.json").write_text(text, encoding="utf-8")
    with pytest.raises(VolumeFileError, match=r"settings.json can't be read as the settings of these results: choose"):
        run(experiment, tmp_path)


def test_settings_that_lack_one_do_not_switch_off_the_check_against_mixing(experiment, network, tmp_path):
    run(experiment, tmp_path)
    rows = (tmp_path / "results.csv").read_bytes()
    path = tmp_path / "settings.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    for name in whole:
        path.write_text(json.dumps({key: value for key, value in whole.items() if key != name}), encoding="utf-8")
        with pytest.raises(VolumeFileError, match="doesn't say all settings of the results beside it"):
            run(replace(experiment, tolerance=1.0) if "NSD" in name else experiment, tmp_path)
    path.write_text(json.dumps({"settings": whole["seed"]}), encoding="utf-8")
    with pytest.raises(VolumeFileError, match="doesn't say all settings"):
        run(experiment, tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == rows


def test_a_folder_that_is_a_file_is_told_in_words(experiment, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(VolumeFileError, match=r"file can't be written \(File exists\)"):
        run(experiment, tmp_path / "file")


def test_a_folder_of_masks_that_cannot_be_made_is_told_in_words(experiment, network, tmp_path):
    (tmp_path / "masks").touch()
    with pytest.raises(VolumeFileError, match=r"phantoms_from_phantoms can't be written"):
        run(experiment, tmp_path)


def test_two_evaluations_do_not_write_into_one_folder(experiment, network, tmp_path):
    first = run_experiment(experiment, tmp_path)
    next(first)
    with pytest.raises(ProblemError, match="Another evaluation writes into"):
        run(experiment, tmp_path)
    first.close()
    assert run(experiment, tmp_path)


def test_masks_of_volumes_whose_names_are_alike_on_disk_are_kept_apart(experiment, network, tmp_path):
    run(experiment, tmp_path)
    row = next(iter(read_results(tmp_path)))
    names = ("a/b", "a_b", "a:b", "\u00fc", "u\u0308", "x" * 300, "x" * 301)
    paths = {mask_path(tmp_path, replace(row, volume=name)) for name in names}
    assert len(paths) == len(names)
    assert {path.parent for path in paths} == {mask_path(tmp_path, row).parent}
    assert max(len(path.name) for path in paths) < 200


def test_masks_of_two_settings_are_kept_apart(experiment, network, tmp_path):
    run(experiment, tmp_path)
    run(replace(experiment, protocol=replace(PROTOCOL, n_support=(2,))), tmp_path)
    kept = [row for row in read_results(tmp_path) if row.mode == "revsam2" and mask_path(tmp_path, row).exists()]
    assert {(row.n_support, row.top_k) for row in kept} == {(4, 7), (2, 7)}
    assert len(kept) == 2 * 8


def test_a_class_id_above_255_stays_in_its_mask(experiment, network, dataset, tmp_path):
    for subject in dataset.training:
        labels = nib.load(subject.labels)
        nib.save(nib.Nifti1Image(np.asarray(labels.dataobj).astype(np.int32) * 700, labels.affine), subject.labels)
    many = replace(dataset, classes={700: "organ"})
    run(replace(experiment, pairs=((many, many),)), tmp_path)
    row = next(row for row in read_results(tmp_path) if mask_path(tmp_path, row).exists() and row.mode == "revsam2")
    assert np.unique(read_labels(mask_path(tmp_path, row)).data).tolist() == [0, 700]


def test_the_mask_of_the_usual_setting_lies_on_the_querys_grid(experiment, network, dataset, tmp_path):
    run(experiment, tmp_path)
    row = next(
        r for r in read_results(tmp_path) if (r.label, r.mode, r.n_support, r.top_k) == (VESSEL, "revsam2", 4, 7)
    )
    (query,) = (subject for subject in dataset.training if subject.name == row.volume)
    mask, truth = read_labels(mask_path(tmp_path, row)), read_labels(query.labels)
    np.testing.assert_array_equal(mask.data == VESSEL, truth.data == VESSEL)
    np.testing.assert_allclose(mask.affine, truth.affine)


def test_a_folder_whose_lock_cannot_be_written_is_named(experiment, tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(VolumeFileError, match="can't be written"):
        run(experiment, tmp_path)


def test_an_evaluation_that_was_closed_leaves_its_folder_to_others(experiment, network, tmp_path):
    steps = run_experiment(experiment, tmp_path)
    next(steps)
    steps.close()
    assert run(experiment, tmp_path)[-1].failures == ()


def test_settings_of_earlier_runs_stay_beside_those_of_other_classes(experiment, network, tmp_path):
    for label in (ORGAN, VESSEL):
        run(replace(experiment, labels=(label,)), tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    assert {name.split(", ")[1] for name in settings if name.startswith("supports from")} == {"class 1", "class 2"}
