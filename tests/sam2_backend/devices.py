"""Where a test runs: with ``pytest -m gpu`` on a CUDA device, and with ``-m slow`` on the processor."""

from __future__ import annotations

import pytest
import torch

CUDA = pytest.param(
    "cuda",
    marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
)
on_both = pytest.mark.parametrize("device", [pytest.param("cpu", marks=pytest.mark.slow), CUDA])
on_cuda = pytest.mark.parametrize("device", [CUDA])
