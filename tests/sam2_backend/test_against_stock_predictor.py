"""The engine gives the numbers of Meta's own predictor, in every mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.engine.config import Mode, RevSAM2Config
from napari_revsam2.engine.events import RunFinished, SliceScored, SliceSegmented, SlicesSelected, Stage
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice
from napari_revsam2.sam2_backend.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator

from .stock_reference import run_stock

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


@pytest.fixture(scope="module", params=["sam2-hiera-tiny", "sam2.1-hiera-tiny"])
def predictor(request: pytest.FixtureRequest) -> SAM2VideoPredictor:
    """A stock predictor with seeded random weights, spread so that masks have foreground and background."""
    torch.manual_seed(1)
    architecture = next(a for a in ARCHITECTURES if a.name == request.param)
    model = architecture.build(image_size=128, target=SAM2VideoPredictor)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "maskmem_tpos_enc" in name or "no_obj" in name or "obj_ptr" in name:
                weight.normal_(0, 0.5)
    return model


@pytest.mark.parametrize("mode", list(Mode))
def test_masks_and_scores_equal_the_stock_predictors(predictor: SAM2VideoPredictor, mode: Mode) -> None:
    supports, query = toy_problem(n_support=2, n_query=9)
    config = RevSAM2Config(n_support=2, top_k=2, mode=mode, seed=3)
    reference = run_stock(predictor, supports.slices, query, LABEL, config)

    events = list(run_revsam2(Sam2Propagator(predictor, batch_size=3), supports, query, config))

    forward = {e.index: e.logits for e in events if isinstance(e, SliceSegmented) and e.stage is Stage.FORWARD}
    final = {e.index: e.logits for e in events if isinstance(e, SliceSegmented) and e.stage is Stage.SELF}
    scores = {e.index: e.reverse_score for e in events if isinstance(e, SliceScored)}
    selected = [e.indices for e in events if isinstance(e, SlicesSelected)]
    assert forward.keys() == reference.forward.keys()
    assert scores.keys() == reference.scores.keys()
    for i, logits in forward.items():
        np.testing.assert_allclose(logits, reference.forward[i], atol=TOLERANCE)
    for i, score in scores.items():
        assert score == pytest.approx(reference.scores[i], abs=TOLERANCE)
    assert selected == ([reference.selected] if mode in (Mode.REVSAM2, Mode.RANDOM) else [])
    for i, logits in (final or forward).items():
        np.testing.assert_allclose(logits, reference.final[i], atol=TOLERANCE)
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    expected = np.stack([np.where(reference.final[i] > 0, LABEL, 0) for i in range(len(query.slices))])
    np.testing.assert_array_equal(finished.segmentation, expected)
    print({i: round(s, 3) for i, s in scores.items()}, (expected > 0).mean((1, 2)).round(2))
