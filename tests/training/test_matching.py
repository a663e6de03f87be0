"""The loss of the encoder alone."""

from __future__ import annotations

import torch
from training.matching import matching_loss


def test_features_that_tell_tissues_apart_match_better_than_features_that_do_not() -> None:
    tissues = torch.zeros(1, 1, 3, 4, 4)
    tissues[:, :, 0, :, :2] = 1
    tissues[:, :, 1, :, 2:] = 1
    torch.manual_seed(0)
    random = torch.randn(1, 1, 8, 4, 4)
    assert (
        matching_loss(tissues, tissues, tissues, tissues)
        < 0.1
        < matching_loss(random, random.flip(-1), tissues, tissues)
    )
