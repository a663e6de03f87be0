"""From a checkpoint to a network, without running code from its file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.sam2_backend.device import translated_memory_errors
from napari_revsam2.vocabulary.errors import CheckpointError

from .architectures import architecture_of
from .checkpoint import find_checkpoint
from .sam2_contract import check_contract

_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Of weights: whole numbers and truth values would be copied into a network without an error."""


def load_model(
    text: str,
    device: torch.device | str = "cpu",
    image_size: int | None = None,
    target: type[SAM2Base] = SAM2Base,
) -> SAM2Base:
    """Load a network by the name of a known checkpoint or from a file of weights.

    Parameters
    ----------
    text : str
        A name in `.checkpoint.known_checkpoints`, or the path of a ``.safetensors`` or ``.pt`` file with the weights
        of any SAM 2 or SAM 2.1 architecture, which is found from their shapes.
    device : torch.device or str
        Where to put it.
    image_size : int, optional
        Side of the square image it works on, in pixels; by default the checkpoint's, or the architecture's own.
    target : type
        The class to build; ``SAM2VideoPredictor`` for the stock predictor.

    Raises
    ------
    CheckpointError
        When the name isn't known, the file is missing, damaged or would run code, or its weights fit no architecture,
        aren't floating-point numbers or aren't finite.
    NotEnoughMemoryError
        When the device's memory isn't enough.
    RevSAM2Error
        When the installed sam2 isn't the one that is needed.
    """
    checkpoint = find_checkpoint(text)
    with checkpoint.on_disk() as path:
        weights = read_weights(path)
    architecture = architecture_of(weights, text)
    model = architecture.build(image_size or checkpoint.image_size, target)
    check_contract(model)
    _check_types(weights, text)
    try:
        model.load_state_dict(weights)  # copies into float32
    except RuntimeError as error:
        raise CheckpointError(
            f"{text} looks like {architecture.name}, but its weights don't fit that architecture: download it again."
        ) from error
    _check_finite(model, text)
    with translated_memory_errors():
        return model.to(device)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a ``.safetensors`` file, or from a ``.pt`` file as Meta publishes them.

    Raises
    ------
    CheckpointError
        When the file is damaged, isn't a checkpoint, or would run code when read.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # torch warns of what it then refuses
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # of a damaged file PyTorch's reader raises nearly anything
        raise CheckpointError(
            f"{path} can't be read as a checkpoint (truncated, or not plain weights): download it again."
        ) from error
    weights = content.get("model", content) if isinstance(content, dict) else None
    if (
        not isinstance(weights, dict)
        or not all(isinstance(name, str) for name in weights)
        or not all(isinstance(tensor, Tensor) for tensor in weights.values())
    ):
        raise CheckpointError(f"{path} isn't a checkpoint: it holds no named weights.")
    return weights


def _check_types(weights: Mapping[str, Tensor], source: str) -> None:
    for name, tensor in weights.items():
        if tensor.dtype not in _TYPES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise CheckpointError(
                f"{source} can't be used: {name!r} is of type {kind}, where weights are float16, bfloat16, float32 or "
                "float64; choose another file."
            )


def _check_finite(model: SAM2Base, source: str) -> None:
    """Refuse weights that aren't finite in float32, which is where those of float64 may become infinite."""
    for name, tensor in model.state_dict().items():
        if not tensor.isfinite().all():
            raise CheckpointError(
                f"{source} can't be used: {name!r} has weights that are NaN or infinite; download it again, or choose "
                "another file."
            )
