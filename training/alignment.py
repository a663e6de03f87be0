"""A start from which the memory works: before its first step the network already copies masks by likeness of features.

From random weights every value that the memory fetches is an average over all tokens, so nothing is told apart and the
network learns to draw nothing. Here the cross-attention starts as likeness of the image features (their principal
components, in those rotary channels that turn slowly with position), its values as the mask in one channel, and the
mask decoder as a reader of that channel. Everything is trained from there.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn

from napari_revsam2.sam2_backend import sam2_memory

MASK_CHANNELS = 16
"""Channels of image features and of memory kept free for the mask; the last one carries it at the start."""
SHARPNESS = 10.0
"""Attention logit of like features."""
MEMORY_SCALE = 4.0
"""Image features in memory stand above the position code that is added to them."""
FIRST_SLOW_PAIR = 10
"""Pair of rotary channels from which on a turn per token is below 0.06."""
QUIET = 0.3
"""Scale of everything else that writes beside the mask's channel."""


@torch.no_grad()
def align(model: SAM2Base, images: Tensor) -> None:
    """Set memory encoder, memory attention and mask decoder to a reader of masks; needs ``images`` (B, 3, S, S)."""
    n_image = model.hidden_dim - MASK_CHANNELS
    for lateral in model.image_encoder.neck.convs[:2]:  # the two that make the top level
        _silence_rows(lateral.conv, slice(n_image, None))
    features = sam2_memory.embed_slices(model, images).top.permute(0, 2, 3, 1).flatten(0, 2)  # (B*s*s, C)
    mean = features.mean(0)
    components = _principal_components((features - mean)[:, :n_image], model.mem_dim - MASK_CHANNELS)
    deviation = float((features - mean)[:, :n_image].std())
    _align_memory_encoder(model, mean, components, deviation)
    _align_attention(model, features, components, deviation)
    _align_decoder(model)


def _principal_components(centred: Tensor, count: int) -> Tensor:
    """(count, channels), orthonormal rows."""
    return torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -count:].T


def _align_memory_encoder(model: SAM2Base, mean: Tensor, components: Tensor, deviation: float) -> None:
    """Memory: components of the centred features, then the mask as -1 or 1 in the last channel."""
    n_content, n_image = components.shape
    encoder = model.memory_encoder
    encoder.pix_feat_proj.weight.zero_()
    encoder.pix_feat_proj.weight[:n_image, :n_image, 0, 0] = torch.eye(n_image)
    encoder.pix_feat_proj.bias.zero_()
    encoder.pix_feat_proj.bias[:n_image] = -mean[:n_image]
    *downsample, last = encoder.mask_downsampler.encoder
    size = model.image_size
    off, on = (
        nn.Sequential(*downsample)(torch.full((1, 1, size, size), value))[0, :, size // 32, size // 32]
        for value in (model.sigmoid_bias_for_mem_enc, model.sigmoid_bias_for_mem_enc + model.sigmoid_scale_for_mem_enc)
    )
    direction = 2 * (on - off) / (on - off).square().sum()
    _silence_rows(last, slice(0, n_image))
    last.weight[-1] = direction[:, None, None]
    last.bias[-1] = -1 - direction @ off
    projection = torch.zeros(model.mem_dim, model.hidden_dim)
    projection[:n_content, :n_image] = MEMORY_SCALE / deviation * components
    projection[n_content:, n_image:] = torch.eye(MASK_CHANNELS)
    encoder.out_proj.weight.copy_(projection[:, :, None, None])
    encoder.out_proj.bias.zero_()


def _align_attention(model: SAM2Base, features: Tensor, components: Tensor, deviation: float) -> None:
    """Queries and keys: likeness of features; values: the mask, added to the last channel."""
    n_content, n_image = components.shape
    normed = F.layer_norm(features, (model.hidden_dim,))
    mean = normed.mean(0)[:n_image]
    query_size = float(((normed[:, :n_image] - mean) @ components.T).norm(dim=1).mean())
    key_size = MEMORY_SCALE * float(((features - features.mean(0))[:, :n_image] @ components.T).norm(dim=1).mean())
    key_size /= deviation
    for layer in model.memory_attention.layers:
        attention = layer.cross_attn_image
        width = attention.internal_dim
        slow = _slow_channels(width)
        turn = torch.linalg.qr(torch.randn(len(slow), n_content)).Q
        gain = math.sqrt(SHARPNESS * math.sqrt(width) / (query_size * key_size))
        for projection in (attention.q_proj, attention.k_proj):
            _silence_rows(projection, slice(None))
        attention.k_proj.weight[slow, :n_content] = gain * turn
        to_query = gain * turn @ components
        attention.q_proj.weight[slow, :n_image] = to_query
        attention.q_proj.bias[slow] = -to_query @ mean
        _silence_rows(attention.v_proj, slice(0, 1))
        attention.v_proj.weight[0, -1] = 1
        for writer in (attention.out_proj, layer.self_attn.out_proj, layer.linear2):
            _keep_off_last_channel(writer)
        attention.out_proj.weight[-1, 0] = 2 * deviation


def _slow_channels(width: int) -> Tensor:
    """Channels of the rotary code that hardly turn: in each half (x, then y) the later pairs."""
    pairs = torch.arange(width // 2)
    slow = pairs[pairs % (width // 4) >= FIRST_SLOW_PAIR]
    return torch.stack([2 * slow, 2 * slow + 1], dim=1).flatten()


def _align_decoder(model: SAM2Base) -> None:
    """Carry the last channel, and its negative, through both upscalings; their difference is the mask logit."""
    decoder = model.sam_mask_decoder
    model.sam_prompt_encoder.no_mask_embed.weight[:, -1] = 0
    for block in decoder.transformer.layers:
        _keep_off_last_channel(block.cross_attn_image_to_token.out_proj)
    first, _, _, second, _ = decoder.output_upscaling
    for upscaling in (first, second):
        upscaling.weight[:, :2] = 0
        upscaling.bias[:2] = 0
    first.weight[-1, 0], first.weight[-1, 1] = 1, -1
    second.weight[0, 0] = second.weight[1, 1] = 1
    second.weight[1, 0] = second.weight[0, 1] = -1
    for skip in (decoder.conv_s0, decoder.conv_s1):
        _silence_rows(skip, slice(0, 2))
    for network in decoder.output_hypernetworks_mlps:
        last = network.layers[-1]
        last.weight *= 0.1
        last.bias *= 0.1
        last.bias[0], last.bias[1] = 1.5, -1.5


def _silence_rows(layer: nn.Linear | nn.Conv2d, rows: slice) -> None:
    layer.weight[rows] = 0
    assert layer.bias is not None
    layer.bias[rows] = 0


def _keep_off_last_channel(layer: nn.Linear) -> None:
    layer.weight *= QUIET
    layer.bias *= QUIET
    _silence_rows(layer, slice(-1, None))
