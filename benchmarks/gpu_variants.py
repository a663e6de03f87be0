"""What may make the engine faster on a CUDA device: each variant runs the same problem as the engine as it is.

A variant that pays belongs into `napari_revsam2.sam2_backend`; here they are only measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sam2.modeling.memory_attention import MemoryAttentionLayer
from sam2.modeling.position_encoding import apply_rotary_enc
from torch import Tensor

from benchmarks.gpu_speed import LABEL, Setting, Subject, peak, reset_peak, timed
from benchmarks.speed import Row
from napari_revsam2.engine.events import RunFinished, result_of
from napari_revsam2.sam2_backend import sam2_memory
from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sam2_backend.slice_preprocessing import IMAGENET_MEAN, IMAGENET_STD, slice_to_tensor

Variant = Callable[[Subject], Any]
"""A context manager within which a subject's network is another one; gives that network."""


def compare(setting: Setting, variants: dict[str, Variant], runs: int = 2) -> list[Row]:
    """Run each variant, and compare it with the engine as it is."""
    subject, count = Subject(setting, "sam2-hiera-tiny", torch.bfloat16), setting.counts[-4:][0]
    rows: list[Row] = []
    plain: RunFinished | None = None
    for name, variant in {"as it is": as_it_is, **variants}.items():
        try:
            with variant(subject) as network:
                result, row = _measured(subject, network, count, runs)
        except Exception as error:  # one that doesn't work here is a result, too
            rows.append({"variant": name, "failed": f"{type(error).__name__}: {error}"[:200]})
            continue
        plain = plain or result
        equal = (result.segmentation == LABEL) == (plain.segmentation == LABEL)
        rows.append({"variant": name, **subject.name, "M": count, **row, "voxels equal, %": float(100 * equal.mean())})
    return rows


def _measured(subject: Subject, network: Sam2Propagator, count: int, runs: int) -> tuple[RunFinished, Row]:
    setting = subject.setting
    reset_peak(setting)
    result, first = timed(lambda: result_of(subject.events(network, count)), setting)
    seconds = [timed(lambda: result_of(subject.events(network, count)), setting)[1] for _ in range(runs)]
    return result, {"first, s": first, "then, s": float(np.median(seconds)), "peak memory, GiB": peak(setting)}


@contextmanager
def as_it_is(subject: Subject) -> Iterator[Sam2Propagator]:
    """Change nothing."""
    yield subject.propagator()


def batch_of(size: int) -> Variant:
    """Take more or fewer slices together."""

    @contextmanager
    def variant(subject: Subject) -> Iterator[Sam2Propagator]:
        yield subject.propagator(size)

    return variant


@contextmanager
def channels_last(subject: Subject) -> Iterator[Sam2Propagator]:
    """Weights of convolutions in the layout of tensor cores."""
    subject.model.to(memory_format=torch.channels_last)
    yield subject.propagator()
    subject.model.to(memory_format=torch.contiguous_format)


@contextmanager
def searched_convolutions(subject: Subject) -> Iterator[Sam2Propagator]:
    """CuDNN measures its ways of convolving, and takes the fastest."""
    torch.backends.cudnn.benchmark = True
    yield subject.propagator()
    torch.backends.cudnn.benchmark = False


@contextmanager
def weights_cast_once(subject: Subject) -> Iterator[Sam2Propagator]:
    """Autocast around the whole run, so that weights are cast once and not in each step."""
    with torch.autocast(subject.setting.device, subject.precision):
        yield subject.propagator()


@contextmanager
def prepared_on_the_device(subject: Subject) -> Iterator[Sam2Propagator]:
    """Slices are windowed and resized by the device."""
    yield _PreparedOnTheDevice(subject.model, precision=subject.precision)


@contextmanager
def graph(subject: Subject) -> Iterator[Sam2Propagator]:
    """Launch the encoder in one call, as a CUDA graph."""
    yield _Graphed(subject.model, precision=subject.precision)


@contextmanager
def compiled(subject: Subject) -> Iterator[Sam2Propagator]:
    """Put the encoder's trunk through `torch.compile`."""
    trunk = subject.model.image_encoder.trunk
    plain = trunk.forward
    trunk.forward = torch.compile(plain, dynamic=False)
    yield subject.propagator()
    trunk.forward = plain


@contextmanager
def one_attention(subject: Subject) -> Iterator[Sam2Propagator]:
    """Slices that share their memories attend to them as one long sequence; keys and values are projected once."""
    plain = MemoryAttentionLayer._forward_ca
    network = _SharedMemories(subject.model, precision=subject.precision)

    def attend(
        layer: Any, tgt: Tensor, memory: Tensor, query_pos: Tensor, pos: Tensor, num_k_exclude_rope: int = 0
    ) -> Any:
        if not network.is_shared:
            return plain(layer, tgt, memory, query_pos, pos, num_k_exclude_rope)
        return _shared_attention(layer, tgt, memory[:1], query_pos, pos[:1], num_k_exclude_rope)

    MemoryAttentionLayer._forward_ca = attend
    yield network
    MemoryAttentionLayer._forward_ca = plain


VARIANTS: dict[str, Variant] = {
    "prepared on the device": prepared_on_the_device,
    **{f"batch {size}": batch_of(size) for size in (1, 2, 8, 16)},
    "one attention": one_attention,
    "weights cast once": weights_cast_once,
    "channels last": channels_last,
    "searched convolutions": searched_convolutions,
    "graph": graph,
}
SLOW_VARIANTS: dict[str, Variant] = {"compiled": compiled}


class _PreparedOnTheDevice(Sam2Propagator):
    def _embed(self, slices: Sequence[tuple[NDArray[Any], tuple[float, float]]]) -> list[SliceEmbeddings]:
        images = torch.cat([self._prepared(image, limits) for image, limits in slices])
        return [embedding.copied() for embedding in sam2_memory.embed_slices(self.model, images).split()]

    def _prepared(self, image: NDArray[Any], limits: tuple[float, float]) -> Tensor:
        """As `slice_to_tensor`: (1, 3, S, S)."""
        low, high = limits
        grey = torch.from_numpy(np.ascontiguousarray(image)).to(self.model.device).float()[None, None]
        grey = ((grey - low) / (high - low)).clamp(0, 1)
        grey = F.interpolate(grey, size=(self.model.image_size,) * 2, mode="bilinear", antialias=True)
        mean, std = (torch.tensor(v, device=grey.device)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
        return (grey - mean) / std


class _Graphed(Sam2Propagator):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor, SliceEmbeddings]] = {}

    def _embed(self, slices: Sequence[tuple[NDArray[Any], tuple[float, float]]]) -> list[SliceEmbeddings]:
        images = torch.stack([slice_to_tensor(image, limits, self.model.image_size) for image, limits in slices])
        if len(images) not in self._graphs:
            self._graphs[len(images)] = self._captured(images.to(self.model.device))
        recorded, given, found = self._graphs[len(images)]
        given.copy_(images)
        recorded.replay()
        return [embedding.copied() for embedding in found.split()]

    def _captured(self, images: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, SliceEmbeddings]:
        """Record the encoder; casts of weights, which autocast would keep elsewhere, are part of the record."""
        recorded, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        with torch.autocast("cuda", self.precision, cache_enabled=False):
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    sam2_memory.embed_slices(self.model, images)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(recorded):
                found = sam2_memory.embed_slices(self.model, images)
        return recorded, images, found


class _SharedMemories(Sam2Propagator):
    is_shared = False
    """Whether the slices of the batch at work have the same memories."""

    def _segment(self, slices: Sequence[Any]) -> list[Any]:
        entries, _ = self._entries([bank for _, bank in slices])
        self.is_shared = all(len(entry.memory) == 1 for entry in entries)
        return super()._segment(slices)


def _shared_attention(
    layer: Any, tgt: Tensor, memory: Tensor, query_pos: Tensor, pos: Tensor, without_rope: int
) -> Tensor:
    """As ``MemoryAttentionLayer._forward_ca`` for tgt (B, L, C) and a memory (1, K, c) that serves all B."""
    attention, normed = layer.cross_attn_image, layer.norm2(tgt)
    query = attention.q_proj(normed + query_pos if layer.pos_enc_at_cross_attn_queries else normed)
    key = attention.k_proj(memory + pos if layer.pos_enc_at_cross_attn_keys else memory)
    query, key, value = (
        attention._separate_heads(x, attention.num_heads) for x in (query, key, attention.v_proj(memory))
    )  # (B, h, L, d), (1, h, K, d), (1, h, K, d)
    batch, heads, length, depth = query.shape
    side = round(length**0.5)
    turned = key.shape[-2] - without_rope
    codes = attention.compute_cis(end_x=side, end_y=side).to(query.device)
    query, key[:, :, :turned] = apply_rotary_enc(query, key[:, :, :turned], codes, attention.rope_k_repeat)
    folded = query.transpose(0, 1).reshape(1, heads, batch * length, depth)
    found = F.scaled_dot_product_attention(folded, key, value)
    found = found.reshape(heads, batch, length, depth).transpose(0, 1)
    return tgt + attention.out_proj(attention._recombine_heads(found))
