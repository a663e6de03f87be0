"""Help for the first steps: an image encoder whose features already tell tissues apart, and a memory that uses them.

From random weights, finding a structure again needs the encoder, the memory and the decoder at once, and two masks an
episode say little to each. So the encoder is also trained by itself: every tissue of the label maps, not only the two
classes asked for, has to be found again in the supports by the similarity of features (`matching_loss`). And the memory
starts from weights (`align_memory`) with which its attention is such a similarity, and fetches a code of the mask.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn

TEMPERATURE = 0.1
MASK_CHANNELS = 16
SHARPNESS = 10.0
"""Scale of the attention logits before training."""
MEMORY_SCALE = 4.0
"""Image features in memory stand above the position code that is added to them."""


def matching_loss(support: Tensor, query: Tensor, support_tissues: Tensor, query_tissues: Tensor) -> Tensor:
    """Cross-entropy of the tissues that query tokens fetch from the support tokens most like them.

    Parameters
    ----------
    support, query : Tensor
        (E, N, C, s, s) and (E, K, C, s, s) features of the encoder's top level.
    support_tissues, query_tissues : Tensor
        (E, N, T, s, s) and (E, K, T, s, s) share of each of T tissues in a token's area.
    """
    keys, labels = _tokens(support), _tokens(support_tissues)  # (E, N*s*s, C or T)
    queries, target = _tokens(query), _tokens(query_tissues)
    mean = keys.mean(1, keepdim=True)
    keys, queries = F.normalize(keys.float() - mean, dim=-1), F.normalize(queries.float() - mean, dim=-1)
    attention = torch.softmax(queries @ keys.transpose(1, 2) / TEMPERATURE, dim=-1)
    fetched = (attention @ labels).clamp(min=1e-4).log()  # (E, K*s*s, T)
    known = labels.amax(1, keepdim=True) > 0.5
    weight = target * known
    per_tissue = -(weight * fetched).sum(1) / (weight.sum(1) + 1)  # large tissues no more than small ones
    return per_tissue.sum() / known.sum()


def _tokens(features: Tensor) -> Tensor:
    """(E, N, C, s, s) -> (E, N*s*s, C)."""
    return features.permute(0, 1, 3, 4, 2).flatten(1, 3)


@torch.no_grad()
def align_memory(model: SAM2Base) -> None:
    """Set the projections of memory encoder and cross-attention; everything else stays as it is."""
    width, memory_width = model.hidden_dim, model.mem_dim
    n_image, n_content = width - MASK_CHANNELS, memory_width - MASK_CHANNELS
    encoder = model.memory_encoder
    projection = _orthonormal(n_content, n_image)  # image features -> what memory keeps of them
    _set(encoder.pix_feat_proj, torch.eye(width))
    encoder.pix_feat_proj.weight[n_image:] = 0
    last: nn.Conv2d = encoder.mask_downsampler.encoder[-1]
    last.weight[:n_image] = 0
    last.bias[:n_image] = 0
    out = torch.zeros(memory_width, width)
    out[:n_content, :n_image] = MEMORY_SCALE * projection
    out[n_content:, n_image:] = 2 * torch.eye(MASK_CHANNELS)
    _set(encoder.out_proj, out)
    for layer in model.memory_attention.layers:
        attention = layer.cross_attn_image
        turn = _orthonormal(n_content, attention.internal_dim).T  # (d, n_content)
        gain = (SHARPNESS * attention.internal_dim**0.5 / n_content) ** 0.5
        keys = torch.zeros(attention.internal_dim, memory_width)
        keys[:, :n_content] = gain * turn / MEMORY_SCALE
        queries = torch.zeros(attention.internal_dim, width)
        queries[:, :n_image] = gain * turn @ projection
        _set(attention.k_proj, keys)
        _set(attention.q_proj, queries)


def _orthonormal(rows: int, columns: int) -> Tensor:
    return torch.linalg.qr(torch.randn(columns, rows)).Q.T


def _set(layer: nn.Module, weight: Tensor) -> None:
    layer.weight.copy_(weight.reshape(layer.weight.shape))
    if layer.bias is not None:
        layer.bias.zero_()
