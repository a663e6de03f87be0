"""Where the network runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from napari_revsam2.settings.network import Precision
from napari_revsam2.vocabulary.errors import DeviceError, NotEnoughMemoryError

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
"""What a plain RuntimeError says of it: on a Mac's chip, on processors (Linux, Windows), in CUDA's libraries."""


def choose_device(name: str) -> torch.device:
    """Turn ``auto`` (cuda, then mps, then cpu), ``cpu``, ``cuda`` or ``mps`` into a device.

    Raises
    ------
    DeviceError
        When the name isn't known or this machine has no such device.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, here in available.items() if here))
    if name not in available:
        raise DeviceError(f"The device {name!r} isn't known: give auto, cpu, cuda or mps.")
    if not available[name]:
        raise DeviceError(f"This machine has no {name} device that PyTorch can use: choose auto or cpu.")
    return torch.device(name)


def choose_precision(wanted: Precision, device: torch.device) -> torch.dtype:
    """Turn a setting into what a device computes in.

    By itself: on CUDA bfloat16 where the hardware has it, else float16; on a CPU bfloat16 where the hardware has it and
    is measured faster; else float32.
    """
    if wanted is not Precision.AUTO:
        dtype: torch.dtype = getattr(torch, wanted.value)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and _cpu_has_bfloat16() and _bfloat16_is_faster():
        return torch.bfloat16
    return torch.float32


@contextmanager
def memory_shortage_in_words() -> Iterator[None]:
    """Turn PyTorch's errors about memory, of which only CUDA's have a type of their own, into ours.

    Raises
    ------
    NotEnoughMemoryError
        When the device's memory isn't enough for what is computed meanwhile.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and not any(text in str(error) for text in _OUT_OF_MEMORY):
            raise
        raise NotEnoughMemoryError from error


def give_back_unused() -> None:
    """Give memory that PyTorch keeps, but doesn't use, back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _cpu_has_bfloat16() -> bool:
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)  # PyTorch on a Mac has no oneDNN
    return supported is not None and bool(supported())


@cache
def _bfloat16_is_faster() -> bool:
    """Measure matrix products of the size that attention has."""
    seconds = {dtype: _product_time(dtype) for dtype in (torch.float32, torch.bfloat16)}
    return seconds[torch.bfloat16] < seconds[torch.float32]


def _product_time(dtype: torch.dtype) -> float:
    """Seconds of the fastest of five products, after one for practice."""
    matrix = torch.ones(1024, 1024, dtype=dtype)
    seconds = []
    for _ in range(6):
        started = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])
