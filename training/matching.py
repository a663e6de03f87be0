"""A loss for the image encoder by itself: features by which tissues are found again.

Two masks an episode say little to an encoder. Here every tissue of the label maps, not only the two classes asked for,
has to be found again in the supports by the likeness of features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE = 0.1


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
