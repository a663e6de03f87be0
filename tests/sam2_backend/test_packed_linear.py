"""Packed linear layers give the numbers of the plain ones."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from napari_revsam2.sam2_backend.cache.embedding_files import network_hash
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.loading import load_propagator
from napari_revsam2.sam2_backend.packed_linear import PackedLinear, pack_linear_layers
from napari_revsam2.settings.config import Precision, RevSAM2Config

needs_onednn = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"), reason="PyTorch has no oneDNN here"
)


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_a_packed_layer_gives_the_numbers_of_the_plain_one(bias: bool, transposed: bool) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80, bias=bias)
    values = torch.randn(48, 3, 5).permute(1, 2, 0) if transposed else torch.randn(3, 5, 48)
    torch.testing.assert_close(PackedLinear(linear)(values), linear(values), rtol=0, atol=1e-5)


@needs_onednn
def test_a_packed_network_has_the_hash_of_the_plain_one() -> None:
    model = load_model("revsam2-mini")
    packed = deepcopy(model)
    pack_linear_layers(packed)
    assert not any(type(module) is nn.Linear for module in packed.modules())
    assert network_hash(packed, "float32") == network_hash(model, "float32")


@needs_onednn
@pytest.mark.parametrize(("precision", "packed"), [(Precision.FLOAT32, True), (Precision.BFLOAT16, False)])
def test_layers_are_packed_where_the_network_computes_in_float32(precision: Precision, packed: bool) -> None:
    model = load_propagator(RevSAM2Config(device="cpu", precision=precision)).model
    assert any(isinstance(module, PackedLinear) for module in model.modules()) == packed
