"""What the training computes in, and with which attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_revsam2.sam2_backend.device import choose_precision
from napari_revsam2.settings.network import Precision


def autocast(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where the device has matrix units for it, else in float32."""
    is_bfloat16 = choose_precision(Precision.AUTO, device) is torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=is_bfloat16)


@contextmanager
def quick_attention(device: torch.device) -> Iterator[None]:
    """Replace PyTorch's fused attention on a CPU, whose backward pass is slow, by `plain_attention` meanwhile."""
    if device.type != "cpu":
        yield
        return
    with patch.object(F, "scaled_dot_product_attention", plain_attention):
        yield


def plain_attention(query: Tensor, key: Tensor, value: Tensor, dropout_p: float = 0.0) -> Tensor:
    """Attention as two matrix products."""
    assert dropout_p == 0
    weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    return torch.softmax(weights, dim=-1).to(value.dtype) @ value
