"""The prompted baselines give the numbers of Meta's own predictor, and take arrays in any precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from benchmarks.stock_predictor import arrays_in_float32, run_video
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.problem import QueryVolume
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.prompted_video import ArrayVideoPredictor, Box, Points, PromptedVideo
from napari_revsam2.sam2_backend.slice_preprocessing import slice_to_tensor
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError
from napari_revsam2.volume_files.file_problem import open_problem

LIMITS = (0.0, 1.0)
SHAPE = (20, 30)
POINTS = Points(np.array([[4, 5], [12, 20]]), np.array([True, False]))


@pytest.fixture(scope="module")
def query() -> tuple[QueryVolume, np.ndarray]:
    """The sample's slices that show the anterior hippocampus, and where it is."""
    problem = open_problem(sample_supports(), sample_query()[0], RevSAM2Config())
    truth = problem.read_truth(sample_query()[1]) == 1
    shown = np.flatnonzero(truth.any(axis=(1, 2)))
    inside = slice(shown[0], shown[-1] + 1)
    return QueryVolume(problem.query.slices[inside], problem.query.limits), truth[inside]


@pytest.fixture(scope="module")
def video() -> PromptedVideo:
    """The checkpoint that ships with the package."""
    return PromptedVideo.load(RevSAM2Config(precision=Precision.FLOAT32))


def of_random_weights(target: type[SAM2VideoPredictor], **settings: object) -> SAM2VideoPredictor:
    """SAM 2.1 tiny with seeded weights."""
    torch.manual_seed(1)
    architecture = next(a for a in ARCHITECTURES if a.name == "sam2.1-hiera-tiny")
    model = architecture.build(image_size=64, target=target)
    assert isinstance(model, target)
    return model


def noise(n_slices: int = 4) -> np.ndarray:
    return np.random.default_rng(0).random((n_slices, *SHAPE)).astype(np.float32)


def test_masks_give_the_stock_predictors_numbers(video, query):
    slices, truth = query
    few, middle = slices.slices[5:10], 2
    with arrays_in_float32():
        stock = load_model("revsam2-mini", target=SAM2VideoPredictor)
        assert isinstance(stock, SAM2VideoPredictor)
        frames = [(np.asarray(image), slices.limits) for image in few]
        expected = run_video(stock, frames, {middle: truth[5 + middle]}, few[0].shape)
    found = video.propagate(few, slices.limits, {middle: truth[5 + middle]})
    np.testing.assert_allclose(found, np.stack([expected[i] for i in range(len(few))]), rtol=0, atol=1e-3)


def test_points_give_the_stock_predictors_numbers():
    images = noise()
    ours = of_random_weights(ArrayVideoPredictor)
    stock = of_random_weights(SAM2VideoPredictor)
    stock.sam_mask_decoder.dynamic_multimask_via_stability = True  # Meta's own builder sets it
    with arrays_in_float32():
        tensors = torch.stack([slice_to_tensor(image, LIMITS, stock.image_size) for image in images])
        state = stock.init_state((tensors, *SHAPE))
        clicks = torch.tensor([[5.5, 4.5], [20.5, 12.5]])
        stock.add_new_points_or_box(state, 1, 1, points=clicks, labels=torch.tensor([1, 0], dtype=torch.int32))
        sweep = stock.propagate_in_video(state, start_frame_idx=0)
        expected = np.stack([logits[0, 0].numpy() for _, _, logits in sweep])
    found = PromptedVideo(ours).propagate(images, LIMITS, {1: POINTS})
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("prompt", [POINTS, Box(3, 4, 10, 12), np.ones(SHAPE, bool)], ids=["points", "box", "mask"])
def test_slices_before_and_after_the_prompt_are_segmented_in_each_precision(precision, prompt):
    video = PromptedVideo(of_random_weights(ArrayVideoPredictor), precision)
    logits = video.propagate(noise(3), LIMITS, {1: prompt})
    assert logits.shape == (3, *SHAPE)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


def test_memories_keep_the_precision_they_were_computed_in(video, query):
    slices, truth = query
    state = video._state_of(slices.slices[:3], slices.limits)
    with torch.inference_mode():
        video.predictor.prompt(state, 1, truth[1])
        video.predictor.sweep(state)
    outputs = state["output_dict_per_obj"][0]
    memories = [outputs["cond_frame_outputs"][1], *outputs["non_cond_frame_outputs"].values()]
    assert [memory["maskmem_features"].dtype for memory in memories] == [torch.float32] * 3
    assert all((m["maskmem_features"] != m["maskmem_features"].bfloat16()).any() for m in memories)


def test_half_precision_finds_nearly_the_same_organ(video, query):
    slices, truth = query
    prompts = {0: truth[0]}
    in_half = PromptedVideo(video.predictor, torch.bfloat16).propagate(slices.slices, slices.limits, prompts)
    in_float = video.propagate(slices.slices, slices.limits, prompts)
    assert dice(in_half > 0, in_float > 0) > 0.95


def test_a_mask_in_the_middle_is_followed_both_ways(video, query):
    slices, truth = query
    middle = len(truth) // 2
    found = video.propagate(slices.slices, slices.limits, {middle: truth[middle]}) > 0
    assert dice(found[middle - 3 : middle], truth[middle - 3 : middle]) > 0.5
    assert dice(found[middle + 1 : middle + 4], truth[middle + 1 : middle + 4]) > 0.5


def test_a_slice_is_encoded_once_for_all_its_prompts():
    model = of_random_weights(ArrayVideoPredictor)
    encoded: list[torch.Size] = []
    model.image_encoder.register_forward_pre_hook(lambda _, images: encoded.append(images[0].shape))
    opened = PromptedVideo(model).open_slice(noise()[0], LIMITS)
    assert opened.segment(POINTS).shape == opened.segment(Box(1, 1, 9, 9)).shape == SHAPE
    assert len(encoded) == 1


def test_a_correction_sees_the_mask_before_it():
    video = PromptedVideo(of_random_weights(ArrayVideoPredictor))
    opened = video.open_slice(noise()[0], LIMITS)
    opened.segment(Points(np.array([[15, 25]]), np.array([True])))
    assert (opened.segment(POINTS) != video.open_slice(noise()[0], LIMITS).segment(POINTS)).any()


@pytest.mark.parametrize("error", [torch.OutOfMemoryError(), RuntimeError("MPS backend out of memory")])
def test_a_slice_too_large_for_the_device_is_told_in_a_sentence(monkeypatch, video, query, error):
    def full(state):
        raise error

    monkeypatch.setattr(video.predictor, "sweep", full)
    slices, truth = query
    with pytest.raises(NotEnoughMemoryError, match="choose a smaller checkpoint"):
        video.propagate(slices.slices[:1], slices.limits, {0: truth[0]})
