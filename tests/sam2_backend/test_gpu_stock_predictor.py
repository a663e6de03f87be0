"""On a CUDA device the engine gives the numbers of Meta's own predictor on the same device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from benchmarks.stock_predictor import StockResult, run_stock
from numpy.typing import NDArray
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.engine.events import SliceScored, SliceSegmented, SlicesSelected, Stage
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES, MINI
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

from .devices import on_both
from .test_against_stock_predictor import LABEL, random_predictor, toy_problem

PRESENT = 1.0
"""Added to object scores, which the bundled architecture has none of: each slice here shows the object."""
CONFIG = RevSAM2Config(n_support=3, top_k=3)


@pytest.fixture(autouse=True)
def exact_convolutions() -> Iterator[None]:
    """Compute convolutions in float32, too, which PyTorch lets a device do in TF32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@dataclass(frozen=True, eq=False)
class Compared:
    """The engine's numbers of a class beside the stock predictor's."""

    forward: NDArray[np.float32]
    final: NDArray[np.float32]
    selected: tuple[int, ...]
    scores: NDArray[np.float64]
    stock: StockResult

    @property
    def differences(self) -> NDArray[np.float32]:
        """Logits, ours less theirs: (2, M, H, W)."""
        return np.stack([self.forward - _stacked(self.stock.forward), self.final - _stacked(self.stock.final)])

    @property
    def equal_share(self) -> float:
        """Share of the final masks' voxels that are equal."""
        return float(np.mean((self.final > 0) == (_stacked(self.stock.final) > 0)))


def _stacked(slices: dict[int, NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack([slices[i] for i in sorted(slices)])


def compared(
    predictor: SAM2VideoPredictor, supports: SupportSet, query: QueryVolume, label: int, precision: torch.dtype
) -> Compared:
    """Run both on the predictor's device."""
    network = Sam2Propagator(predictor, precision=precision)
    events = list(run_revsam2(network, supports, query, CONFIG, [label]))
    segmented = [event for event in events if isinstance(event, SliceSegmented)]
    forward, final = ({e.index: e.logits for e in segmented if e.stage is s} for s in (Stage.FORWARD, Stage.SELF))
    (selected,) = (event.indices for event in events if isinstance(event, SlicesSelected))
    scores = {event.index: event.reverse_score for event in events if isinstance(event, SliceScored)}
    half = precision is not torch.float32
    with torch.inference_mode(), torch.autocast(predictor.device.type, precision, enabled=half):
        stock = run_stock(predictor, select_supports(supports, label, CONFIG.n_support), query, label, CONFIG)
    return Compared(_stacked(forward), _stacked(final), selected, np.array([scores[i] for i in sorted(scores)]), stock)


def sample_problem() -> tuple[SupportSet, QueryVolume]:
    """Slices of the sample data's middle."""
    problem = open_problem(list(sample_supports()), sample_query()[0], CONFIG)
    return problem.supports, QueryVolume(problem.query.slices[10:26:2], problem.query.limits)


@on_both
@pytest.mark.parametrize("architecture", [a.name for a in ARCHITECTURES])
def test_every_architecture_gives_its_logits_and_chosen_slices_in_float32(architecture: str, device: str) -> None:
    predictor = random_predictor(architecture, 0.0 if architecture == MINI.name else PRESENT).to(device)
    found = compared(predictor, *toy_problem(n_support=3, n_query=8), LABEL, torch.float32)
    assert 0 < (found.final > 0).mean() < 1, "masks that are all empty or all full would show nothing"
    np.testing.assert_allclose(found.differences, 0, rtol=0, atol=1e-3)
    assert found.selected == found.stock.selected


@on_both
def test_the_bundled_checkpoint_gives_its_logits_and_chosen_slices_in_float32(device: str) -> None:
    predictor = load_model("revsam2-mini", device, target=SAM2VideoPredictor)
    found = compared(predictor, *sample_problem(), 1, torch.float32)
    np.testing.assert_allclose(found.differences, 0, rtol=0, atol=1e-3)
    assert found.selected == found.stock.selected


@on_both
def test_the_bundled_checkpoint_gives_its_masks_and_chosen_slices_in_bfloat16(device: str) -> None:
    predictor = load_model("revsam2-mini", device, target=SAM2VideoPredictor)
    found = compared(predictor, *sample_problem(), 1, torch.bfloat16)
    assert found.equal_share >= 0.999
    assert found.selected == found.stock.selected
