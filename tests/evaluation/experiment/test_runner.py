"""An evaluation that stops, goes on, loses a worker, and is told the truth about its files."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from distributed import KilledWorker, LocalCluster

from napari_revsam2.evaluation.experiment import runner, work
from napari_revsam2.evaluation.experiment.experiment import Experiment
from napari_revsam2.evaluation.experiment.protocol import Protocol
from napari_revsam2.evaluation.experiment.results import ResultRow, read_results, read_slices
from napari_revsam2.evaluation.experiment.runner import Failed, mask_path, run_experiment
from napari_revsam2.evaluation.experiment.work import Done, Work
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from napari_revsam2.volume_files import read_labels
from tests.evaluation.conftest import ORGAN, VESSEL

PROTOCOL = Protocol(n_support=(4, 1), top_k=(7, 3), groups=2)


@pytest.fixture
def experiment(dataset) -> Experiment:
    return Experiment(((dataset, dataset),), PROTOCOL, RevSAM2Config())


def run(experiment: Experiment, folder: Path, **how):
    return list(run_experiment(experiment, folder, **how))


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


def test_the_mask_of_the_usual_setting_lies_on_the_querys_grid(experiment, network, dataset, tmp_path):
    run(experiment, tmp_path)
    row = next(
        r for r in read_results(tmp_path) if (r.label, r.mode, r.n_support, r.top_k) == (VESSEL, "revsam2", 4, 7)
    )
    (query,) = (subject for subject in dataset.training if subject.name == row.volume)
    mask, truth = read_labels(mask_path(tmp_path, row)), read_labels(query.labels)
    np.testing.assert_array_equal(mask.data == VESSEL, truth.data == VESSEL)
    np.testing.assert_allclose(mask.affine, truth.affine)


def test_what_is_finished_is_not_computed_again(experiment, network, tmp_path):
    steps = run_experiment(experiment, tmp_path)
    for _ in range(4):
        next(steps)  # the plan, and three works
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


def test_results_of_other_settings_are_not_mixed(experiment, network, tmp_path):
    run(experiment, tmp_path)
    other = replace(experiment, tolerance=1.0)
    with pytest.raises(ProblemError, match=r"other settings \(NSD tolerance, mm 2.0\): give those, or another folder"):
        run(other, tmp_path)


@pytest.mark.parametrize(
    "changed",
    [lambda d: replace(d, training=d.training[1:]), lambda d: replace(d, classes={ORGAN: "liver", VESSEL: "vessel"})],
    ids=["a training volume less", "another name for a class"],
)
def test_results_of_another_dataset_of_the_same_name_are_not_mixed(experiment, network, dataset, tmp_path, changed):
    run(experiment, tmp_path)
    other = changed(dataset)
    with pytest.raises(ProblemError, match="other settings \\(supports from phantoms, class 1, group 0 organ: "):
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


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_damaged_settings_are_told_in_words(experiment, network, tmp_path, text):
    run(replace(experiment, labels=(ORGAN,)), tmp_path)
    (tmp_path / "settings.json").write_text(text, encoding="utf-8")
    with pytest.raises(VolumeFileError, match=r"settings.json can't be read"):
        run(experiment, tmp_path)


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


def test_supports_are_seen_in_the_window_of_their_own_dataset(experiment, network, dataset, tmp_path, monkeypatch):
    split = replace(dataset, name="others", training=dataset.training[:3], window="0,10")
    queries = replace(dataset, training=(), test=dataset.training[3:])
    (first, *_) = replace(experiment, pairs=((queries, split),)).works(())
    case = work.open_work(first, first.supports)
    assert (case.query.limits, case.supports[0].limits) == ((0.0, 100.0), (-5.0, 5.0))


def test_random_choices_of_volumes_and_groups_are_independent(experiment):
    works = list(experiment.works(()))
    assert len({work.own_seed(one) for one in works}) == len(works)
    assert [work.own_seed(one) for one in works] == [work.own_seed(one) for one in experiment.works(())]


def test_a_volume_that_cannot_be_read_is_told_and_the_others_are_done(experiment, network, dataset, tmp_path):
    split = replace(dataset, training=dataset.training[:3], test=dataset.training[3:])
    dataset.training[3].image.write_bytes(b"no image")
    *_, last = run(replace(experiment, pairs=((split, split),)), tmp_path)
    assert {failed.work.query.name for failed in last.failed} == {"subject_3"}
    assert "subject_3.nii.gz" in last.failed[0].reason
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


def test_a_class_that_is_not_there_is_said_in_words(experiment, tmp_path):
    with pytest.raises(ProblemError, match="phantoms has no class 9 whose name phantoms has too; these are: 1, 2"):
        run(replace(experiment, labels=(9,)), tmp_path)


def test_datasets_without_a_class_in_common_are_said_in_words(experiment, dataset, tmp_path):
    others = replace(dataset, name="others", classes={ORGAN: "liver"})
    with pytest.raises(ProblemError, match="phantoms and others have no class of one name"):
        run(replace(experiment, pairs=((dataset, others),)), tmp_path)


def test_more_supports_than_there_are_for_any_n_are_said_in_words(experiment, tmp_path):
    with pytest.raises(
        ProblemError, match=r"phantoms has 30 slices that can support class 1 \(organ\): give a smaller"
    ):
        run(replace(experiment, protocol=replace(PROTOCOL, n_support=(31,))), tmp_path)


def test_one_shot_is_a_row_of_its_own(experiment, network, tmp_path):
    protocol = replace(PROTOCOL, modes=(Mode.FORWARD,), one_shot=True)
    run(replace(experiment, protocol=protocol, labels=(ORGAN,)), tmp_path)
    assert {row.mode for row in read_results(tmp_path)} == {"forward", "one-shot"}


def slow_attempt(work: Work) -> Done | Failed:
    """A work that takes its time, and says in which process it ran."""
    time.sleep(0.2)
    setting = work.settings[0]
    row = ResultRow(
        *work.row_key(setting)[:3], work.class_name, work.group, work.query.name,
        setting.mode, setting.n_support, setting.top_k, 1.0, 1.0, 1.0, 1.0, 1.0, float(os.getpid()),
    )  # fmt: skip
    return Done(work, (row,), (), None)


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "attempt", slow_attempt)
    experiment = replace(experiment, protocol=replace(PROTOCOL, n_support=(1,), modes=(Mode.FORWARD,), groups=6))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=True) as cluster:
        for step in run_experiment(experiment, tmp_path, scheduler=cluster.scheduler_address):
            if step.finished == 4:
                os.kill(next(iter(cluster.workers.values())).process.pid, signal.SIGKILL)
    rows = read_results(tmp_path)
    assert len({row.key for row in rows}) == len(rows) == step.total == 24
    assert len({row.seconds for row in rows}) >= 2  # processes that took part


@dataclass(frozen=True)
class LostFuture:
    """A future whose result never came."""

    error: Exception

    def result(self):
        raise self.error


def test_a_work_that_ends_each_of_its_processes_is_told_and_the_others_go_on(experiment):
    (one, *_) = experiment.works(())
    outcome = runner.outcome_of(LostFuture(KilledWorker("attempt", None, 4)), one)
    assert outcome.work is one
    assert "use fewer workers" in outcome.reason


def test_a_scheduler_that_goes_is_said_in_words(experiment):
    (one, *_) = experiment.works(())
    with pytest.raises(ProblemError, match="The Dask scheduler is gone"):
        runner.outcome_of(LostFuture(CancelledError()), one)


def test_a_scheduler_that_is_not_there_is_said_in_words(experiment, tmp_path):
    with pytest.raises(ProblemError, match="There is no Dask scheduler at tcp:"):
        run(experiment, tmp_path, scheduler="tcp://127.0.0.1:9")
