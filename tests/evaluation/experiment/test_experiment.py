"""The jobs of an experiment, and what can't be one."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest

from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError
from tests.evaluation.conftest import ORGAN
from tests.evaluation.experiment.phantoms import PROTOCOL, run


def test_a_class_that_is_not_there_is_said_in_words(experiment, tmp_path):
    with pytest.raises(ProblemError, match="phantoms has no class 9 whose name phantoms has too; these are: 1, 2"):
        run(replace(experiment, labels=(9,)), tmp_path)


def test_datasets_without_a_class_in_common_are_said_in_words(experiment, dataset, tmp_path):
    others = replace(dataset, name="others", classes={ORGAN: "liver"})
    with pytest.raises(ProblemError, match="phantoms and others have no class of one name"):
        run(replace(experiment, pairs=((dataset, others),)), tmp_path)


def test_more_supports_than_there_are_for_any_n_are_said_in_words(experiment, tmp_path):
    with pytest.raises(ProblemError, match=r"phantoms has 30 slices that can support class 1 \(organ\): use a smaller"):
        run(replace(experiment, protocol=replace(PROTOCOL, n_support=(31,))), tmp_path)


def test_jobs_of_one_volume_follow_each_other(experiment):
    names = [job.query.name for job in experiment.jobs()]
    assert len(list(groupby(names))) == len(set(names)) < len(names)


def test_a_job_names_only_the_settings_whose_rows_are_missing(experiment):
    (first, *others) = experiment.jobs()
    left = experiment.jobs({first.row_key(setting) for setting in first.settings[1:]})
    assert left == (replace(first, settings=first.settings[:1]), *others)
    assert experiment.jobs({first.row_key(setting) for setting in first.settings}) == tuple(others)


def test_prompts_are_run_for_the_first_group_alone_and_systems_for_each(experiment):
    jobs = replace(experiment, compared=("box", "registration")).jobs()
    groups = {name: {j.group for j in jobs for s in j.settings if s.mode == name} for name in ("box", "registration")}
    assert groups == {"box": {0}, "registration": {0, 1}}


def test_a_dataset_whose_volumes_all_give_supports_is_refused(experiment, dataset):
    few = replace(dataset, training=dataset.training[:3])
    with pytest.raises(ProblemError, match="phantoms has no volume left to segment, as all are supports"):
        replace(experiment, pairs=((few, few),)).jobs()


def test_every_job_has_the_settings_of_the_experiment_and_the_window_of_its_dataset(experiment, dataset):
    config = RevSAM2Config(device="cpu", precision=Precision.FLOAT32)
    configs = {job.config for job in replace(experiment, config=config).jobs()}
    assert configs == {replace(config, window=dataset.window)}
