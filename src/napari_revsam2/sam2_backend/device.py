"""Where the network runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from napari_revsam2.settings.config import RevSAM2Config
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
        return torch.device(next(kind for kind, is_available in available.items() if is_available))
    if name not in available:
        raise DeviceError(f"The device {name!r} isn't known: choose auto, cpu, cuda or mps.")
    if not available[name]:
        raise DeviceError(f"This machine has no {name} device that PyTorch can use: choose auto or cpu.")
    return torch.device(name)


def choose_precision(wanted: Precision, device: torch.device) -> torch.dtype:
    """Turn a setting into what a device computes in.

    ``auto`` depends on the hardware alone, so that every run on a machine computes with the same numbers: on CUDA
    bfloat16 where the hardware has it, else float16; on a CPU bfloat16 where it has bfloat16 matrix units (AMX); else
    float32. The vector instructions for bfloat16 (AVX-512 BF16) don't count: without AMX, products in bfloat16 were
    measured to take twice the time of those in float32.
    """
    if wanted is not Precision.AUTO:
        dtype: torch.dtype = getattr(torch, wanted.value)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and _cpu_has_bfloat16_matrix_units():
        return torch.bfloat16
    return torch.float32


def resolved(config: RevSAM2Config) -> RevSAM2Config:
    """Replace ``auto`` by the device and the precision that this machine computes with.

    Processes that share a task are handed the resolved settings, so that all compute alike.

    Raises
    ------
    DeviceError
        As `choose_device`.
    """
    device = choose_device(config.device)
    dtype = choose_precision(config.precision, device)
    return replace(config, device=device.type, precision=Precision(str(dtype).removeprefix("torch.")))


@contextmanager
def translated_memory_errors() -> Iterator[None]:
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
    """Return memory that PyTorch keeps, but doesn't use, to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _cpu_has_bfloat16_matrix_units() -> bool:
    """Whether the CPU has AMX, and PyTorch a library (oneDNN, not on a Mac) and a version that use it."""
    questions = ("_is_mkldnn_bf16_supported", torch.ops.mkldnn), ("_is_amx_tile_supported", torch.cpu)
    return all(bool(getattr(module, name, bool)()) for name, module in questions)
