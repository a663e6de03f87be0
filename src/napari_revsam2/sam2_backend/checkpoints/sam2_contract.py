"""What `sam2_memory` and `prompted_video` rely on in the sam2 package beyond its public interface."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version

import torch
from sam2.modeling.sam2_base import SAM2Base
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch import nn

from napari_revsam2.vocabulary.errors import RevSAM2Error

from .architectures import MINI

_NEEDED = ">=1.1,<1.2"
_PRIVATE_METHODS = {
    SAM2Base: {
        "_use_mask_as_output": ("backbone_features", "high_res_features", "mask_inputs"),
        "_use_multimask": ("is_init_cond_frame", "point_inputs"),
        "_forward_sam_heads": ("backbone_features", "high_res_features", "multimask_output"),
        "_encode_new_memory": (
            *("current_vision_feats", "feat_sizes", "pred_masks_high_res", "object_score_logits", "is_mask_from_pts"),
        ),
    },
    SAM2VideoPredictor: {
        "_run_single_frame_inference": (
            *("inference_state", "output_dict", "frame_idx", "batch_size", "is_init_cond_frame"),
            *("point_inputs", "mask_inputs", "reverse", "run_mem_encoder"),
        ),
        "_run_memory_encoder": (),
        "_get_orig_video_res_output": ("inference_state", "any_res_masks"),
    },
}
"""By class and method: the arguments that are passed by name, or in this order."""
_N_OUTPUTS, _LOW_RESOLUTION_MASK, _POINTER, _OBJECT_SCORE = 7, 3, 5, 6
"""Of what the mask decoder's methods return, the items that are used."""


def check_contract(model: SAM2Base) -> None:
    """Check that the installed sam2 is built as this package needs it.

    Raises
    ------
    RevSAM2Error
        When it is another one; names what differs and the version to install.
    """
    for difference in (*_differing_methods(), *_differing_neck(model), *_differing_outputs()):
        raise RevSAM2Error(
            f"The installed sam2 {version('sam2')} differs from the one this package needs ({difference}): install it "
            f"with pip install 'sam2{_NEEDED}'."
        )


def _differing_methods() -> Iterator[str]:
    for kind, methods in _PRIVATE_METHODS.items():
        for name, arguments in methods.items():
            method = getattr(kind, name, None)
            if method is None or not set(arguments) <= set(inspect.signature(method).parameters):
                yield f"{kind.__name__}.{name}"


def _differing_neck(model: SAM2Base) -> Iterator[str]:
    """`sam2_memory.embed_slices` is the neck's forward pass, and what follows it, in another order."""
    encoder, decoder = model.image_encoder, model.sam_mask_decoder
    neck = encoder.neck
    convolutions = [*(lateral.conv for lateral in neck.convs), decoder.conv_s0, decoder.conv_s1]
    if (len(neck.convs), neck.fpn_top_down_levels, neck.fuse_type, encoder.scalp) != (4, [2, 3], "sum", 1):
        yield "the layout of the image encoder's neck"
    if not all(isinstance(each, nn.Conv2d) and each.kernel_size == (1, 1) for each in convolutions):
        yield "the convolutions of the image encoder's neck"


@cache
def _differing_outputs() -> tuple[str, ...]:
    """Compare the shapes that a small network returns; the order is the same in each, and looked at once a process."""
    model, batch = MINI.build(image_size=32), 2
    side, width = model.image_size // 16, model.hidden_dim
    top = torch.zeros(batch, width, side, side)
    sharp = [torch.zeros(batch, width // 8, 4 * side, 4 * side), torch.zeros(batch, width // 4, 2 * side, 2 * side)]
    masks = torch.zeros(batch, 1, model.image_size, model.image_size)
    expected = {
        _LOW_RESOLUTION_MASK: (batch, 1, 4 * side, 4 * side),
        _POINTER: (batch, width),
        _OBJECT_SCORE: (batch, 1),
    }
    with torch.inference_mode():
        found = {
            "_use_mask_as_output": model._use_mask_as_output(top, sharp, masks),
            "_forward_sam_heads": model._forward_sam_heads(top, high_res_features=sharp, multimask_output=True),
        }
    return tuple(
        f"what SAM2Base.{name} returns"
        for name, outputs in found.items()
        if len(outputs) != _N_OUTPUTS or any(outputs[i].shape != shape for i, shape in expected.items())
    )
