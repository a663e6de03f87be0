"""Known checkpoints, and loading weights without running code from them."""

from __future__ import annotations

import pickle
import warnings
from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.engine.errors import CheckpointError

from .architectures import MINI, architecture_of
from .published import PUBLISHED, by_hand

EMBEDDED = {MINI.name: "revsam2_mini.safetensors"}
"""Checkpoints that ship in this package, by name."""


def load_model(
    checkpoint: str,
    device: torch.device | str = "cpu",
    image_size: int | None = None,
    target: type[SAM2Base] = SAM2Base,
) -> SAM2Base:
    """Load a network by the name of a known checkpoint or from a file of weights.

    Parameters
    ----------
    checkpoint : str
        ``revsam2-mini``, a name in `published.PUBLISHED` whose file is here, or the path of a ``.safetensors`` or
        ``.pt`` file with the weights of any SAM 2 or SAM 2.1 architecture, which is found from their shapes.
    device : torch.device or str
        Where to put it.
    image_size : int, optional
        Side of the square image it works on, in pixels; by default the checkpoint's, or the architecture's own.
    target : type
        The class to build; ``SAM2VideoPredictor`` for the stock predictor.

    Raises
    ------
    CheckpointError
        When the name isn't known, the file is missing, damaged or would run code, or its weights fit no architecture.
    """
    if checkpoint in EMBEDDED:
        with as_file(files(__package__) / "weights" / EMBEDDED[checkpoint]) as path:
            weights = read_weights(path)
    else:
        weights = read_weights(_existing_file(checkpoint))
    architecture = architecture_of(weights, checkpoint)
    if image_size is None and checkpoint in PUBLISHED:
        image_size = PUBLISHED[checkpoint].image_size
    model = architecture.build(image_size, target)
    try:
        model.load_state_dict(weights)  # copies into float32
    except RuntimeError as error:
        raise CheckpointError(
            f"{checkpoint} looks like {architecture.name}, but its weights don't fit that architecture: get it again."
        ) from error
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
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} can't be read as a checkpoint (truncated, or not plain weights): get it again from its source."
        ) from error
    weights = content.get("model", content) if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        raise CheckpointError(f"{path} isn't a checkpoint: it holds no named weights.")
    return weights


def _existing_file(checkpoint: str) -> Path:
    published = PUBLISHED.get(checkpoint)
    path = published.path if published is not None else Path(checkpoint)
    if path.is_file():
        return path
    if published is not None:
        raise CheckpointError(
            f"The weights of {checkpoint} aren't here: get them with 'napari-revsam2 models download {checkpoint}' "
            f"(about {published.megabytes} MB). {by_hand(published)}"
        )
    known = ", ".join((*EMBEDDED, *PUBLISHED))
    raise CheckpointError(f"There is no checkpoint {checkpoint!r}: give a file, or one of {known}.")
