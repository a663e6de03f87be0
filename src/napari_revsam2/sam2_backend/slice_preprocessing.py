"""Between a slice as the user has it and the square image SAM 2 sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_revsam2.settings.intensity_window import Limits, windowed
from napari_revsam2.vocabulary.errors import RunError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def slice_to_tensor(image: NDArray[Any], limits: Limits, size: int) -> Tensor:
    """Window, resize and normalise a slice as SAM 2 does its images.

    Parameters
    ----------
    image : ndarray
        (H, W) grey values.
    limits : tuple of float
        Grey values that become 0 and 1.
    size : int
        Side of the model's image (S).

    Returns
    -------
    Tensor
        (3, S, S) float32, the grey slice in three channels, normalised by ImageNet's mean and standard deviation.
    """
    grey = torch.from_numpy(np.ascontiguousarray(windowed(image, limits)))
    grey = F.interpolate(grey[None, None], size=(size, size), mode="bilinear", align_corners=False, antialias=True)[0]
    return (grey - torch.tensor(IMAGENET_MEAN)[:, None, None]) / torch.tensor(IMAGENET_STD)[:, None, None]


def mask_to_tensor(mask: NDArray[np.bool_], size: int) -> Tensor:
    """Bring a mask (H, W) to the model's size as ``SAM2VideoPredictor.add_new_mask`` does: (1, S, S), 0 or 1."""
    tensor = torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
    if tensor.shape[-2:] != (size, size):
        tensor = F.interpolate(tensor, size=(size, size), mode="bilinear", align_corners=False, antialias=True)
        tensor = (tensor >= 0.5).float()
    return tensor[0]


def check_finite(*computed: Tensor) -> None:
    """Refuse what a network computed where it isn't finite: a mask made of it would be empty, and look like a result.

    Raises
    ------
    RunError
        When a number is NaN or infinite.
    """
    if not all(bool(tensor.isfinite().all()) for tensor in computed):
        raise RunError(
            "The network computed values that are NaN or infinite, so there is no result: set the precision to "
            "float32, or choose another checkpoint."
        )


def logits_to_size(logits: Tensor, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Bring low-resolution mask logits (1, 1, s, s) to a slice's own size (H, W)."""
    full = F.interpolate(logits.float(), size=shape, mode="bilinear", align_corners=False)
    result: NDArray[np.float32] = full[0, 0].cpu().numpy()
    return result
