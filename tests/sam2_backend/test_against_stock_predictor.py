"""The engine gives the numbers of Meta's own predictor, in every mode."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from benchmarks.stock_predictor import run_stock
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.engine.events import RunFinished, SliceScored, SliceSegmented, SlicesSelected, Stage
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.packed_linear import pack_linear_layers
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

TOLERANCE = 1e-3
LABEL = 2


def toy_problem(n_support: int, n_query: int) -> tuple[SupportSet, QueryVolume]:
    """Bright discs in noise; supports and query differ in size, and neither is the model's."""
    rng = np.random.default_rng(0)

    def disc(height: int, width: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
        y, x = np.mgrid[:height, :width]
        inside = (y / height - 0.5 - shift) ** 2 + (x / width - 0.4) ** 2 < 0.04
        return (100 * inside + rng.normal(0, 10, inside.shape)).astype(np.float32), inside

    supports = []
    for j in range(n_support):
        image, inside = disc(90, 70, 0.02 * j)
        supports.append(SupportSlice(image, np.where(inside, LABEL, 0), (-20.0, 120.0), index=j))
    query = np.stack([disc(80, 100, 0.01 * i)[0] for i in range(n_query)])
    return SupportSet(tuple(supports)), QueryVolume(query, (-30.0, 130.0))


def random_predictor(checkpoint: str, presence: float = 0.0) -> SAM2VideoPredictor:
    """A stock predictor with seeded random weights, spread so that masks have foreground and background.

    ``presence`` is added to all object scores, which these weights leave near 0.
    """
    torch.manual_seed(1)
    architecture = next(a for a in ARCHITECTURES if a.name == checkpoint)
    model = architecture.build(image_size=128, target=SAM2VideoPredictor)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "maskmem_tpos_enc" in name or "no_obj" in name or "obj_ptr" in name:
                weight.normal_(0, 0.5)
        if presence:
            model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias += presence
    return model


@pytest.fixture(scope="module", params=[("sam2-hiera-tiny", 0.0), ("sam2.1-hiera-tiny", 0.008)], ids=["2.0", "2.1"])
def predictor(request: pytest.FixtureRequest) -> SAM2VideoPredictor:
    """A predictor that sees the object on nearly all slices: where it doesn't, any memory gives the same -1024."""
    return random_predictor(*request.param)


def assert_same_numbers(
    predictor: SAM2VideoPredictor, supports: SupportSet, query: QueryVolume, label: int, config: RevSAM2Config
) -> RunFinished:
    """Run both, and compare ``p_i``, ``pi_i``, the conditional slices and the final masks."""
    reference = run_stock(predictor, supports.slices, query, label, config)
    ours = deepcopy(predictor)
    pack_linear_layers(ours)
    events = list(run_revsam2(Sam2Propagator(ours, batch_size=3), supports, query, config, [label]))

    forward = {e.index: e.logits for e in events if isinstance(e, SliceSegmented) and e.stage is Stage.FORWARD}
    final = {e.index: e.logits for e in events if isinstance(e, SliceSegmented) and e.stage is Stage.SELF}
    scores = {e.index: e.reverse_score for e in events if isinstance(e, SliceScored)}
    selected = [e.indices for e in events if isinstance(e, SlicesSelected)]
    assert forward.keys() == reference.forward.keys()
    for i, logits in forward.items():
        np.testing.assert_allclose(logits, reference.forward[i], rtol=0, atol=TOLERANCE)
    assert scores == pytest.approx(reference.scores, abs=TOLERANCE)
    assert selected == ([reference.selected] if config.mode in (Mode.REVSAM2, Mode.RANDOM) else [])
    for i, logits in (final or forward).items():
        np.testing.assert_allclose(logits, reference.final[i], rtol=0, atol=TOLERANCE)
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    expected = np.stack([np.where(reference.final[i] > 0, label, 0) for i in range(len(query.slices))])
    np.testing.assert_array_equal(finished.segmentation, expected)
    assert 0 < (expected > 0).mean() < 1, "masks that are all empty or all full would show nothing"
    return finished


def seen(finished: RunFinished) -> list[bool]:
    """Whether each query slice shows the object."""
    return [bool(mask.any()) for mask in finished.segmentation]


@pytest.mark.parametrize("mode", list(Mode))
def test_random_weights_of_sam2_give_the_stock_predictors_numbers(predictor: SAM2VideoPredictor, mode: Mode) -> None:
    # A sweep of ten slices goes beyond the queue of six, so that object pointers alone reach further back.
    supports, query = toy_problem(n_support=2, n_query=10 if mode is Mode.FIFO else 4)
    config = RevSAM2Config(n_support=2, top_k=2, mode=mode, seed=3)
    assert all(seen(assert_same_numbers(predictor, supports, query, LABEL, config)))


def test_slices_on_which_sam2_sees_no_object_are_remembered_as_the_stock_predictor_does() -> None:
    supports, query = toy_problem(n_support=2, n_query=10)
    predictor = random_predictor("sam2.1-hiera-tiny", presence=0.006)
    found = seen(assert_same_numbers(predictor, supports, query, LABEL, RevSAM2Config(n_support=2, mode=Mode.FIFO)))
    assert False in found
    assert True in found[found.index(False) :], "what was remembered of empty slices has to reach another one"


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.REVSAM2, Mode.RANDOM])
def test_a_long_query_gives_the_stock_predictors_numbers(predictor: SAM2VideoPredictor, mode: Mode) -> None:
    supports, query = toy_problem(n_support=3, n_query=20)
    assert_same_numbers(predictor, supports, query, LABEL, RevSAM2Config(n_support=3, top_k=2, mode=mode, seed=1))


@pytest.fixture(scope="module")
def bundled_predictor() -> SAM2VideoPredictor:
    """The stock predictor with the weights that ship with the package."""
    model = load_model("revsam2-mini", target=SAM2VideoPredictor)
    assert isinstance(model, SAM2VideoPredictor)
    return model


@pytest.mark.parametrize("mode", list(Mode))
def test_the_bundled_checkpoint_gives_the_stock_predictors_numbers_on_a_real_volume(
    bundled_predictor: SAM2VideoPredictor, mode: Mode
) -> None:
    config = RevSAM2Config(n_support=3, top_k=3, mode=mode)
    problem = open_problem(sample_supports(), sample_query()[0], config)
    few = QueryVolume(problem.query.slices[10:26:2], problem.query.limits)
    supports = SupportSet(select_supports(problem.supports, 1, config.n_support))
    assert_same_numbers(bundled_predictor, supports, few, 1, config)
