"""What the training computes in."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from training.precision import plain_attention, quick_attention


def test_plain_attention_is_attention() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 1, length, 8) for length in (5, 7, 7))
    torch.testing.assert_close(plain_attention(query, key, value), F.scaled_dot_product_attention(query, key, value))


def test_the_fused_attention_is_back_afterwards() -> None:
    fused = F.scaled_dot_product_attention
    with quick_attention(torch.device("cpu")):
        assert F.scaled_dot_product_attention is plain_attention
    assert F.scaled_dot_product_attention is fused


def test_a_gpu_keeps_the_fused_attention() -> None:
    fused = F.scaled_dot_product_attention
    with quick_attention(torch.device("cuda")):
        assert F.scaled_dot_product_attention is fused
