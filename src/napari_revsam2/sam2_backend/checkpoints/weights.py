"""Known checkpoints, and loading weights without running code from them."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path

import pooch
import torch
from safetensors.torch import load_file
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.sam2_backend.device import memory_shortage_in_words
from napari_revsam2.vocabulary.errors import CheckpointError
from napari_revsam2.vocabulary.names import meant

from .architectures import architecture_of
from .bundled import REVSAM2_MINI
from .published import PUBLISHED, by_hand

EMBEDDED = {REVSAM2_MINI.name: REVSAM2_MINI.file}
"""Files of the checkpoints that ship in this package, by name."""


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
    NotEnoughMemoryError
        When the device's memory isn't enough.
    """
    if checkpoint in EMBEDDED:
        with REVSAM2_MINI.on_disk() as path:
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
    with memory_shortage_in_words():
        return model.to(device)


def checkpoint_sha256(checkpoint: str) -> str:
    """Hash the file behind a checkpoint's name.

    Raises
    ------
    CheckpointError
        When the name isn't known or the file is missing.
    """
    with REVSAM2_MINI.on_disk() if checkpoint in EMBEDDED else nullcontext(_existing_file(checkpoint)) as path:
        return str(pooch.file_hash(path))


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
            f"{path} can't be read as a checkpoint (truncated, or not plain weights): get it again from its source."
        ) from error
    weights = content.get("model", content) if isinstance(content, dict) else None
    if (
        not isinstance(weights, dict)
        or not all(isinstance(name, str) for name in weights)
        or not all(isinstance(tensor, Tensor) for tensor in weights.values())
    ):
        raise CheckpointError(f"{path} isn't a checkpoint: it holds no named weights.")
    return weights


def _existing_file(checkpoint: str) -> Path:
    published = PUBLISHED.get(checkpoint)
    path = published.path if published is not None else Path(checkpoint)
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise CheckpointError(f"{path} can't be read ({error.strerror}): give a file that may be read.") from error
    if published is not None:
        raise CheckpointError(
            f"The weights of {checkpoint} aren't here: get them with 'napari-revsam2 models download {checkpoint}' "
            f"(about {published.megabytes} MB). {by_hand(published)}"
        )
    ending = meant(checkpoint, (*EMBEDDED, *PUBLISHED), otherwise="give a file, or one of")
    raise CheckpointError(f"There is no checkpoint {checkpoint!r}: {ending}")
