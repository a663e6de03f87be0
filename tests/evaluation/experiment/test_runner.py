"""An evaluation that stops and resumes, and reports what its files are like."""

from __future__ import annotations

from dataclasses import replace

from napari_revsam2.evaluation.experiment.row_file import read_results, read_slices
from napari_revsam2.evaluation.experiment.runner import run_experiment
from napari_revsam2.settings.config import Mode
from tests.evaluation.conftest import ORGAN, VESSEL
from tests.evaluation.experiment.phantoms import PROTOCOL, run


def test_there_is_a_row_for_each_volume_class_group_and_setting(experiment, network, tmp_path):
    *_, last = run(experiment, tmp_path)
    rows = read_results(tmp_path)
    assert last.finished == last.total == 2 * 2 * 2  # classes, groups, queries
    assert len(rows) == len({row.key for row in rows}) == 8 * 2 * 5
    assert {row.class_name for row in rows} == {"organ", "vessel"}


def test_a_perfect_network_has_perfect_scores(experiment, network, tmp_path):
    run(experiment, tmp_path)
    rows = read_results(tmp_path)
    assert {(row.dsc, row.nsd) for row in rows} == {(1.0, 1.0)}
    slices = read_slices(tmp_path)
    assert {row.n_support for row in slices} == {4, 1}
    assert len(slices) == 8 * 2 * 14
    assert all(row.reverse_score == row.nonempty for row in slices)  # 1 where something is found


def test_what_is_finished_is_not_computed_again(experiment, network, tmp_path):
    steps = run_experiment(experiment, tmp_path)
    for _ in range(4):
        next(steps)  # the plan, and three jobs
    steps.close()
    before = read_results(tmp_path)
    embedded = len(network.embedded)
    first, *_ = run(experiment, tmp_path)
    assert first.total == 8 - 3
    rows = read_results(tmp_path)
    assert rows[: len(before)] == before or [r.key for r in rows[: len(before)]] == [r.key for r in before]
    assert len({row.key for row in rows}) == len(rows) == 80
    run(experiment, tmp_path)
    assert len(network.embedded) > embedded
    embedded = len(network.embedded)
    run(experiment, tmp_path)
    assert len(network.embedded) == embedded


def test_another_k_adds_its_rows_alone(experiment, network, tmp_path):
    run(experiment, tmp_path)
    more = replace(experiment, protocol=replace(PROTOCOL, top_k=(7, 3, 2)))
    run(more, tmp_path)
    rows = read_results(tmp_path)
    assert len({row.key for row in rows}) == len(rows) == 80 + 8 * 2


def test_a_volume_that_cannot_be_read_is_told_and_the_others_are_done(experiment, network, dataset, tmp_path):
    split = replace(dataset, training=dataset.training[:3], test=dataset.training[3:])
    dataset.training[3].image.write_bytes(b"no image")
    *_, last = run(replace(experiment, pairs=((split, split),)), tmp_path)
    assert {failure.job.query.name for failure in last.failures} == {"subject_3"}
    assert "subject_3.nii.gz" in last.failures[0].reason
    assert {row.volume for row in read_results(tmp_path)} == {"subject_4"}


def test_supports_of_another_dataset_are_named_in_the_rows(experiment, network, dataset, tmp_path):
    split = replace(dataset, name="others", training=dataset.training[:3])
    queries = replace(dataset, training=(), test=dataset.training[3:])
    run(replace(experiment, pairs=((queries, split),)), tmp_path)
    assert {(row.dataset, row.support_dataset) for row in read_results(tmp_path)} == {("phantoms", "others")}


def test_classes_of_two_datasets_are_matched_by_name(experiment, network, dataset, tmp_path):
    swapped = {ORGAN: "vessel", VESSEL: "organ"}
    split = replace(dataset, name="others", training=dataset.training[:3], classes=swapped)
    queries = replace(dataset, training=(), test=dataset.training[3:])
    run(replace(experiment, pairs=((queries, split),), labels=(ORGAN,)), tmp_path)
    rows = read_results(tmp_path)
    assert {(row.label, row.class_name) for row in rows} == {(ORGAN, "organ")}
    assert max(row.dsc for row in rows) == 0  # the other dataset's "organ" is our vessel


def test_one_shot_is_a_row_of_its_own(experiment, network, tmp_path):
    protocol = replace(PROTOCOL, modes=(Mode.FORWARD,), one_shot=True)
    run(replace(experiment, protocol=protocol, labels=(ORGAN,)), tmp_path)
    assert {row.mode for row in read_results(tmp_path)} == {"forward", "one-shot"}
