"""The networks of the SAM 2 family, built from the configurations of the sam2 package and our own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.vocabulary.errors import CheckpointError

from .bundled import REVSAM2_MINI


@dataclass(frozen=True)
class Signature:
    """Width and depth of the image encoder, and whether memories mark absent objects (as in SAM 2.1)."""

    embed_dim: int
    n_blocks: int
    marks_absence: bool


@dataclass(frozen=True)
class Architecture:
    """A network of the SAM 2 family.

    Attributes
    ----------
    name : str
        Name of the checkpoint that goes with it.
    package, config : str
        The package whose ``configs`` folder holds the configuration, and its path there.
    """

    name: str
    package: str
    config: str

    def build(self, image_size: int | None = None, target: type[SAM2Base] = SAM2Base) -> SAM2Base:
        """Build the network with fresh weights, in evaluation mode.

        Parameters
        ----------
        image_size : int, optional
            Side of the square image it works on, in pixels; by default the configuration's.
        target : type
            The class to build: ``SAM2VideoPredictor`` is the stock predictor with the same settings.
        """
        settings = self._settings()
        settings._target_ = f"{target.__module__}.{target.__qualname__}"
        # Of the stock predictor's default post-processing, the one setting that a mask prompt meets.
        settings.binarize_mask_from_pts_for_mem_enc = True
        if image_size is not None:
            settings.image_size = image_size
        model: SAM2Base = instantiate(settings)
        return model.eval()

    def signature(self) -> Signature:
        """Read what distinguishes this architecture from the others."""
        settings = self._settings()
        trunk = settings.image_encoder.trunk
        defaults = inspect.signature(Hiera).parameters
        embed_dim, stages = (trunk.get(name, defaults[name].default) for name in ("embed_dim", "stages"))
        return Signature(embed_dim, sum(stages), "no_obj_embed_spatial" in settings)

    def _settings(self) -> DictConfig:
        text = files(self.package).joinpath("configs").joinpath(self.config).read_text(encoding="utf-8")
        settings: DictConfig = OmegaConf.create(text).model
        return settings


MINI = Architecture(REVSAM2_MINI.name, "napari_revsam2.sam2_backend", "revsam2_mini.yaml")
ARCHITECTURES = (
    MINI,
    *(
        Architecture(f"{family}-hiera-{size}", "sam2", f"{family}/{family}_hiera_{letter}.yaml")
        for family in ("sam2", "sam2.1")
        for size, letter in (("tiny", "t"), ("small", "s"), ("base-plus", "b+"), ("large", "l"))
    ),
)


def architecture_of(weights: Mapping[str, Tensor], source: str) -> Architecture:
    """Find the architecture that a state dict belongs to, from the names and shapes of its weights.

    Raises
    ------
    CheckpointError
        When there is none; ``source`` names the file in the message.
    """
    signature = _signature_of(weights)
    for architecture in ARCHITECTURES:
        if architecture.signature() == signature:
            return architecture
    raise CheckpointError(
        f"{source} holds weights of another architecture: choose a checkpoint of SAM 2 or SAM 2.1 "
        f"({', '.join(architecture.name for architecture in ARCHITECTURES)})."
    )


def _signature_of(weights: Mapping[str, Tensor]) -> Signature | None:
    patches = weights.get("image_encoder.trunk.patch_embed.proj.weight")
    blocks = {match[1] for name in weights if (match := re.match(r"image_encoder\.trunk\.blocks\.(\d+)\.", name))}
    if patches is None or patches.is_nested or patches.ndim == 0:
        return None
    return Signature(patches.shape[0], len(blocks), "no_obj_embed_spatial" in weights)
