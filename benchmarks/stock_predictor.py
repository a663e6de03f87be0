"""RevSAM2 scripted on the stock ``SAM2VideoPredictor``: the numbers our engine has to give.

Nothing here goes through our propagation code; only the slice preprocessing is shared, as the predictor itself reads
JPEG folders and videos alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
import sam2.sam2_video_predictor as stock
import torch
from numpy.typing import NDArray
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.sam2_backend.slice_preprocessing import slice_to_tensor
from napari_revsam2.settings.config import Mode, RevSAM2Config


class _Float32Torch:
    """The torch module with bfloat16 taken for float32: the predictor stores its memories in bfloat16."""

    bfloat16 = torch.float32

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@contextmanager
def arrays_in_float32() -> Iterator[None]:
    """Let the predictor take arrays as videos, and keep its memories in float32."""
    arrays_for_videos = {"load_video_frames": lambda video_path, **_: video_path, "tqdm": lambda frames, **_: frames}
    with patch.multiple(stock, torch=_Float32Torch(), **arrays_for_videos):
        yield


@dataclass
class StockResult:
    """p_i logits, pi_i, conditional slices and final logits, as the stock predictor gives them."""

    forward: dict[int, NDArray[np.float32]]
    scores: dict[int, float]
    selected: tuple[int, ...]
    final: dict[int, NDArray[np.float32]]


def run_video(
    predictor: SAM2VideoPredictor,
    frames: list[tuple[NDArray[Any], tuple[float, float]]],
    masks: dict[int, NDArray[np.bool_]],
    shape: tuple[int, int],
) -> dict[int, NDArray[np.float32]]:
    """Propagate masks through a video of slices with their grey limits; logits by frame, at ``shape``."""
    images = torch.stack([slice_to_tensor(image, limits, predictor.image_size) for image, limits in frames])
    state = predictor.init_state((images, *shape))
    for frame, mask in masks.items():
        predictor.add_new_mask(state, frame, obj_id=1, mask=torch.from_numpy(mask))
    return {
        frame: logits[0, 0].float().cpu().numpy()
        for frame, _, logits in predictor.propagate_in_video(state, start_frame_idx=0)
    }


def run_stock(
    predictor: SAM2VideoPredictor,
    supports: tuple[SupportSlice, ...],
    query: QueryVolume,
    label: int,
    config: RevSAM2Config,
) -> StockResult:
    """All stages of one class."""
    shown = [(s.image, s.limits) for s in supports]
    truth = {j: s.mask(label) for j, s in enumerate(supports)}
    slices = [(np.asarray(query.slices[i]), query.limits) for i in range(len(query.slices))]
    shape = slices[0][0].shape
    n = len(supports)
    with arrays_in_float32():
        if config.mode is Mode.FIFO:
            video = run_video(predictor, shown + slices, truth, shape)
            return StockResult({}, {}, (), {i: video[n + i] for i in range(len(slices))})
        forward = {i: run_video(predictor, [*shown, q], truth, shape)[n] for i, q in enumerate(slices)}
        if config.mode is Mode.FORWARD:
            return StockResult(forward, {}, (), forward)
        found = {i: p > 0 for i, p in forward.items() if (p > 0).any()}
        if config.mode is Mode.RANDOM:
            scores: dict[int, float] = {}
            rng = np.random.default_rng(config.seed)
            selected = tuple(sorted(rng.choice(list(found), min(config.top_k, len(found)), replace=False).tolist()))
        else:
            scores = dict.fromkeys(forward, 0.0)
            for i, mask in found.items():
                overlaps = []
                for j, support in enumerate(shown):
                    back = run_video(predictor, [slices[i], support], {0: mask}, support[0].shape)[1] > 0
                    overlaps.append(2 * (back & truth[j]).sum() / (back.sum() + truth[j].sum()))
                scores[i] = float(np.mean(overlaps))
            selected = tuple(sorted(sorted(found, key=lambda i: (-scores[i], i))[: config.top_k]))
        final = run_video(predictor, slices, {i: found[i] for i in selected}, shape)
        final.update({i: forward[i] for i in selected})
    return StockResult(forward, scores, selected, final)
