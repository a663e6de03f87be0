"""Prompts are made from the query's truth as section 4.2 says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.problem import QueryVolume
from napari_revsam2.evaluation.systems.prompt_baselines import (
    FirstSlicePrompt,
    PointPrompts,
    box_around,
    prompt_baselines,
)
from napari_revsam2.sam2_backend.prompted_video import Box, Points
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

SHAPE = (5, 8, 9)
SPACING = (1.0, 1.0, 1.0)
QUERY = QueryVolume(np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE), (0.0, 1.0))


@pytest.fixture
def truth() -> np.ndarray:
    """A rectangle on slices 1 and 3."""
    truth = np.zeros(SHAPE, bool)
    truth[[1, 3], 2:5, 3:7] = True
    return truth


@dataclass
class FakeVideo:
    """Answers each prompt on a slice with the next of the given masks, and records what it was asked."""

    answers: list[np.ndarray]
    prompts: list[Points] = field(default_factory=list)
    opened: list[np.ndarray] = field(default_factory=list)
    propagated: list[tuple[np.ndarray, dict]] = field(default_factory=list)

    def open_slice(self, image, limits):
        self.opened.append(image)
        return self

    def segment(self, prompt):
        self.prompts.append(prompt)
        return np.where(self.answers[(len(self.prompts) - 1) % len(self.answers)], 1.0, -1.0)

    def propagate(self, slices, limits, prompts):
        self.propagated.append((np.stack([slices[i] for i in range(len(slices))]), dict(prompts)))
        return np.ones((len(slices), *SHAPE[1:]))


def run(comparator, truth, label=1):
    return comparator.segment((), label, QUERY, SPACING, truth)


def points(video: FakeVideo, n_points: int = 3, seed: int = 0) -> PointPrompts:
    return PointPrompts(n_points, lambda: video, "sam2-hiera-tiny", seed)


@pytest.mark.parametrize("n_points", [1, 3])
def test_positive_points_come_from_the_truth_and_negative_ones_from_false_positives_alone(truth, n_points):
    too_large = np.zeros(SHAPE[1:], bool)
    too_large[1:6, 2:5] = True
    video = FakeVideo([too_large, truth[1]])
    result = run(points(video, n_points), truth)
    first, second = video.prompts[:2]
    assert first.positive.tolist() == [True] * n_points
    assert second.positive.tolist() == [True] * n_points + [False] * n_points
    assert truth[1][tuple(first.pixels.T)].all()
    np.testing.assert_array_equal(second.pixels[:n_points], first.pixels)
    negative = second.pixels[n_points:]
    assert (too_large & ~truth[1])[tuple(negative.T)].all()
    assert len(np.unique(negative, axis=0)) == n_points
    np.testing.assert_array_equal(result, truth)  # what the second prompt gave


def test_without_false_positives_there_is_no_second_prompt(truth):
    video = FakeVideo([truth[1] & (np.arange(9) < 5)])
    run(points(video), truth)
    assert [prompt.positive.tolist() for prompt in video.prompts] == [[True] * 3] * 2


def test_points_are_given_on_slices_that_show_the_class_alone(truth):
    video = FakeVideo([truth[1]])
    result = run(points(video), truth)
    assert [image[0, 0] for image in video.opened] == [QUERY.slices[i][0, 0] for i in (1, 3)]
    assert not result[[0, 2, 4]].any()


def test_a_class_of_fewer_pixels_than_points_gives_all_of_them(truth):
    few = np.zeros(SHAPE, bool)
    few[2, 4, [5, 6]] = True
    video = FakeVideo([few[2]])
    run(points(video), few)
    assert sorted(video.prompts[0].pixels.tolist()) == [[4, 5], [4, 6]]


def test_points_repeat_with_their_seed_and_differ_without(truth):
    def drawn(seed, truth=truth):
        video = FakeVideo([truth[3]])
        run(points(video, seed=seed), truth)
        return video.prompts[-1].pixels.tolist()

    alone = truth & (np.arange(5) == 3)[:, None, None]
    assert drawn(0) == drawn(0) == drawn(0, alone)
    assert drawn(0) != drawn(1)


@pytest.mark.parametrize("prompt_from", [box_around, lambda mask: mask])
def test_the_first_slice_is_propagated_through_the_rest_and_slices_before_it_stay_empty(truth, prompt_from):
    video = FakeVideo([])
    result = run(FirstSlicePrompt("any", prompt_from, lambda: video, ""), truth)
    [(slices, prompts)] = video.propagated
    np.testing.assert_array_equal(slices, QUERY.slices[1:])
    assert list(prompts) == [0]
    np.testing.assert_array_equal(prompts[0], prompt_from(truth[1]))
    assert not result[0].any()
    assert result[1:].all()


def test_a_box_holds_the_first_and_last_row_and_column(truth):
    assert box_around(truth[1]) == Box(top=2, left=3, bottom=4, right=6)


def test_a_query_without_the_class_is_empty_and_loads_nothing(truth):
    def load():
        raise AssertionError

    for comparator in (PointPrompts(1, load, ""), FirstSlicePrompt("mask", lambda mask: mask, load, "")):
        assert not run(comparator, np.zeros_like(truth)).any()


def test_the_bundled_checkpoint_is_refused_for_what_it_was_never_taught():
    here = {comparator.name: comparator.missing() for comparator in prompt_baselines(RevSAM2Config())}
    assert [name for name, reason in here.items() if not reason] == ["mask"]
    assert "revsam2-mini knows masks only" in here["box"]


def test_with_a_checkpoint_of_sam2_nothing_is_missing():
    assert not any(c.missing() for c in prompt_baselines(RevSAM2Config(checkpoint="sam2-hiera-tiny")))


def test_a_mask_prompt_follows_the_organ_through_the_sample_volume():
    config = RevSAM2Config(precision=Precision.FLOAT32)
    problem = open_problem(sample_supports(), sample_query()[0], config)
    truth = problem.read_truth(sample_query()[1]) == 1
    truth[truth.sum(axis=(1, 2)) < 100] = False  # the tip is too small for this checkpoint to follow
    first = np.flatnonzero(truth.any(axis=(1, 2)))[0]
    found = prompt_baselines(config)[-1].segment((), 1, problem.query, SPACING, truth)
    assert not found[:first].any()
    assert dice(found[first], truth[first]) > 0.9  # given
    assert dice(found[first + 1 : first + 5], truth[first + 1 : first + 5]) > 0.5
