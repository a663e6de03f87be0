"""Where the network runs."""

from __future__ import annotations

import torch

from napari_revsam2.engine.errors import DeviceError


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
