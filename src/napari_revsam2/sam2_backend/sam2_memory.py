"""SAM 2's own steps on batches of slices: embed, remember a mask, segment from memory.

The functions call the modules of a stock :class:`sam2.modeling.sam2_base.SAM2Base` in the order in
which ``SAM2VideoPredictor`` calls them, with a batch dimension where the predictor has one frame. They keep
gradients, so the training loop and the engine run the same code.

Shapes: ``B`` slices, ``S`` the model's image size, ``s = S // 16`` the side of the top feature map,
``C`` the hidden width (256 in SAM 2), ``c`` the memory width (64 in SAM 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from sam2.modeling.sam2_base import SAM2Base
from sam2.modeling.sam2_utils import get_1d_sine_pe
from torch import Tensor, nn

BatchT = TypeVar("BatchT", bound="TensorBatch")


@dataclass(frozen=True)
class TensorBatch:
    """Tensors that share their first dimension, the slices of a batch."""

    def __len__(self) -> int:
        """Count the slices (B)."""
        return int(self._tensors()[0].shape[0])

    def __getitem__(self: BatchT, index: Any) -> BatchT:
        """Select slices by a slice object, a list or a tensor of indices."""
        return type(self)(*(tensor[index] for tensor in self._tensors()))

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self._tensors())

    def split(self: BatchT) -> list[BatchT]:
        """Cut into batches of one."""
        return [self[i : i + 1] for i in range(len(self))]

    def copied(self: BatchT) -> BatchT:
        """Put images (B, C, H, W) into memory of their own, in the layout that convolutions are quick with.

        Part of a batch would keep the whole batch in memory; and in another layout, such as that of a file, the last
        digits of what is computed from it would differ.
        """
        return type(self)(*(tensor.clone(memory_format=torch.channels_last) for tensor in self._tensors()))

    @classmethod
    def join(cls: type[BatchT], parts: Sequence[BatchT]) -> BatchT:
        """Put batches together."""
        return cls(*(torch.cat(tensors) for tensors in zip(*(part._tensors() for part in parts), strict=True)))

    def _tensors(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True)
class SliceEmbeddings(TensorBatch):
    """What the image encoder keeps of ``B`` slices (``Z`` in Eq. 1 and 11)."""

    top: Tensor
    """(B, C, s, s), stride 16: what memory attention reads."""
    middle: Tensor
    """(B, C/4, 2s, 2s), stride 8, for the mask decoder's edges."""
    fine: Tensor
    """(B, C/8, 4s, 4s), stride 4, for the mask decoder's edges."""


@dataclass(frozen=True)
class SliceMemories(TensorBatch):
    """What the memory encoder keeps of ``B`` slices with their masks (dotted ``Z`` in Eq. 3, 7 and 13)."""

    spatial: Tensor
    """(B, c, s, s)."""
    pointer: Tensor
    """(B, C) object pointers; of no use in a model without them."""


@dataclass(frozen=True)
class Segmentation(TensorBatch):
    """The mask decoder's answer for ``B`` slices (Eq. 5, 9, 15)."""

    logits: Tensor
    """(B, 1, S/4, S/4) low-resolution mask logits."""
    pointer: Tensor
    """(B, C) object pointers."""
    object_score: Tensor
    """(B, 1) logits of the object's presence; a positive constant in a model without that head."""


@dataclass(frozen=True)
class MemoryEntry:
    """One remembered slice, or one for each slice of the batch, as a memory bank sees it."""

    memory: SliceMemories
    """B memories, or 1 that serves the whole batch."""
    recency: int = 0
    """0 for a conditional slice; for a recent one ``num_maskmem`` less its distance in slices (1 is the oldest)."""
    has_spatial: bool = True
    """Whether its spatial features are attended to (a recent slice beyond the queue leaves only its pointer)."""
    pointer_distance: int | None = None
    """Distance in slices to the object pointer, query position less its own; None leaves the pointer out."""


def embed_slices(model: SAM2Base, images: Tensor) -> SliceEmbeddings:
    """Run the image encoder (Eq. 1 and 11) on ``images`` (B, 3, S, S), normalised.

    The same numbers as ``SAM2Base.forward_image`` with less work: at strides 4 and 8 the neck's 1x1 convolution and the
    mask decoder's follow each other with nothing between, so one convolution does for both.
    """
    neck, decoder = model.image_encoder.neck, model.sam_mask_decoder
    fine, middle, coarse, coarsest = model.image_encoder.trunk(images)  # strides 4, 8, 16, 32
    from_coarsest, from_coarse, from_middle, from_fine = (lateral.conv for lateral in neck.convs)
    upsampled = F.interpolate(from_coarsest(coarsest).float(), scale_factor=2, mode=neck.fpn_interp_model)
    return SliceEmbeddings(
        top=from_coarse(coarse) + upsampled,
        middle=_both_convolutions(middle, from_middle, decoder.conv_s1),
        fine=_both_convolutions(fine, from_fine, decoder.conv_s0),
    )


def _both_convolutions(features: Tensor, first: nn.Conv2d, second: nn.Conv2d) -> Tensor:
    """Two 1x1 convolutions as one: ``W2 (W1 x + b1) + b2``."""
    assert first.bias is not None
    weight = torch.einsum("oc,ci->oi", second.weight[:, :, 0, 0], first.weight[:, :, 0, 0])
    bias = F.linear(first.bias, second.weight[:, :, 0, 0], second.bias)
    return F.conv2d(features, weight[:, :, None, None], bias)


def remember_masks(model: SAM2Base, embeddings: SliceEmbeddings, masks: Tensor) -> SliceMemories:
    """Encode given masks (B, 1, S, S), binary, as conditional memories (Eq. 2-3, 6-7, 12-13).

    The predictor keeps a prompt's mask at a quarter of the resolution between prompt and memory encoder; so do we.
    """
    outputs = model._use_mask_as_output(embeddings.top, [embeddings.fine, embeddings.middle], masks)
    low_resolution, pointer, object_score = outputs[3], outputs[5], outputs[6]
    spatial = _encode_memory(model, embeddings, low_resolution, object_score, from_prompt=True)
    return SliceMemories(spatial, pointer)


def remember_prediction(model: SAM2Base, embeddings: SliceEmbeddings, prediction: Segmentation) -> SliceMemories:
    """Encode a slice's own prediction as a non-conditional memory (the queue of Eq. 14)."""
    spatial = _encode_memory(model, embeddings, prediction.logits, prediction.object_score, from_prompt=False)
    return SliceMemories(spatial, prediction.pointer)


def segment_from_memory(
    model: SAM2Base, embeddings: SliceEmbeddings, bank: Sequence[MemoryEntry], pointer_span: int
) -> Segmentation:
    """Segment ``B`` slices given a memory bank (Eq. 4-5, 8-9, 14-15).

    Parameters
    ----------
    model : SAM2Base
        The network.
    embeddings : SliceEmbeddings
        The B slices to segment.
    bank : sequence of MemoryEntry
        What each of the B slices attends to, in the predictor's order: conditional slices, then recent ones.
    pointer_span : int
        The distance that scales the object pointers' position code: one less than
        ``min(number of frames, max_obj_ptrs_in_encoder)`` in the predictor.
    """
    tokens, positions, n_pointer_tokens = _memory_tokens(model, len(embeddings), bank, pointer_span)
    top = embeddings.top
    fused = model.memory_attention(
        curr=_to_sequence(top),
        curr_pos=_to_sequence(model.image_encoder.neck.position_encoding(top).to(top.dtype)),
        memory=tokens,
        memory_pos=positions,
        num_obj_ptr_tokens=n_pointer_tokens,
    )
    fused = fused.permute(1, 2, 0).reshape(top.shape)
    outputs = model._forward_sam_heads(
        fused,
        high_res_features=[embeddings.fine, embeddings.middle],
        multimask_output=model._use_multimask(is_init_cond_frame=False, point_inputs=None),
    )
    return Segmentation(outputs[3], outputs[5], outputs[6])


def _encode_memory(
    model: SAM2Base, embeddings: SliceEmbeddings, logits: Tensor, object_score: Tensor, from_prompt: bool
) -> Tensor:
    """Memory encoder on (B, 1, S/4, S/4) mask logits: (B, c, s, s)."""
    full = F.interpolate(logits, size=(model.image_size,) * 2, mode="bilinear", align_corners=False)
    spatial: Tensor = model._encode_new_memory(
        current_vision_feats=[_to_sequence(embeddings.top)],
        feat_sizes=[tuple(embeddings.top.shape[-2:])],
        pred_masks_high_res=full,
        object_score_logits=object_score,
        is_mask_from_pts=from_prompt,
    )[0]
    return spatial


def _memory_tokens(
    model: SAM2Base, batch: int, bank: Sequence[MemoryEntry], pointer_span: int
) -> tuple[Tensor, Tensor, int]:
    """Memory tokens and their position codes, each (L, B, c), and how many of the L are pointer tokens."""
    tokens, positions = [], []
    for entry in bank:
        if entry.has_spatial:
            spatial = entry.memory.spatial
            code = model.memory_encoder.position_encoding(spatial[:1]).to(spatial.dtype)
            time_code = model.maskmem_tpos_enc[model.num_maskmem - entry.recency - 1]
            tokens.append(_to_sequence(spatial).expand(-1, batch, -1))
            positions.append((_to_sequence(code) + time_code).expand(-1, batch, -1))
    pointers = [e for e in bank if e.pointer_distance is not None] if model.use_obj_ptrs_in_encoder else []
    if pointers:
        pointer_tokens, pointer_positions = _pointer_tokens(model, batch, pointers, pointer_span)
        tokens.append(pointer_tokens)
        positions.append(pointer_positions)
    n_pointer_tokens = tokens[-1].shape[0] if pointers else 0
    return torch.cat(tokens), torch.cat(positions), n_pointer_tokens


def _pointer_tokens(
    model: SAM2Base, batch: int, entries: Sequence[MemoryEntry], pointer_span: int
) -> tuple[Tensor, Tensor]:
    """Object pointers cut into tokens of memory width, and their position codes: each (n * C/c, B, c)."""
    per_pointer = model.hidden_dim // model.mem_dim
    stacked = torch.stack([e.memory.pointer.expand(batch, -1) for e in entries])  # (n, B, C)
    tokens = stacked.reshape(len(entries), batch, per_pointer, model.mem_dim).permute(0, 2, 1, 3).flatten(0, 1)
    if not model.add_tpos_enc_to_obj_ptrs:
        return tokens, torch.zeros_like(tokens)
    distances = torch.tensor([e.pointer_distance for e in entries], device=stacked.device)
    width = model.hidden_dim if model.proj_tpos_enc_in_obj_ptrs else model.mem_dim
    code = model.obj_ptr_tpos_proj(get_1d_sine_pe(distances / pointer_span, dim=width))  # (n, c)
    positions = code[:, None].expand(-1, batch, -1).repeat_interleave(per_pointer, dim=0)
    return tokens, positions


def _to_sequence(features: Tensor) -> Tensor:
    """(B, C, s, s) -> (s*s, B, C), the layout of SAM 2's attention."""
    return features.flatten(2).permute(2, 0, 1)
