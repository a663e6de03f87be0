"""Linear layers in oneDNN's own layout, for runs in float32 on a CPU.

PyTorch computes them in float32 with MKL from weights as they are stored, after it has copied the bias to the output.
oneDNN's kernel takes weights that were laid out for it once, and adds the bias itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """A `torch.nn.Linear` for inference in float32 on a CPU.

    Parameters
    ----------
    linear : Linear
        The layer to stand for.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        bias: Tensor | None = linear.bias
        self.register_buffer("weight", torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach()))
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, values: Tensor) -> Tensor:
        """``values @ weight.T + bias`` for values (..., in)."""
        result: Tensor = torch.ops.mkldnn._linear_pointwise(values, self.weight, self.bias, "none", [], "")
        return result


def pack_linear_layers(model: nn.Module) -> None:
    """Put a `PackedLinear` in place of each linear layer, where PyTorch has oneDNN (not on a Mac)."""
    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Linear:
                setattr(module, name, PackedLinear(child))
