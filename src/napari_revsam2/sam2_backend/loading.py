"""From settings to a network that is ready to run."""

from __future__ import annotations

from napari_revsam2.engine.config import RevSAM2Config

from .checkpoints import load_model
from .device import choose_device
from .sam2_propagator import Sam2Propagator


def load_propagator(config: RevSAM2Config) -> Sam2Propagator:
    """Load the checkpoint of ``config`` onto its device.

    Raises
    ------
    CheckpointError, DeviceError
        When either isn't to be had.
    """
    device = choose_device(config.device)
    return Sam2Propagator(load_model(config.checkpoint, device))
