"""Systems by name; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError

from .system import System

PROMPTS = ("points-1", "points-3", "box", "mask")
"""SAM 2 prompted with the query's own truth (Table 1)."""
FEW_SHOT = ("registration", "nnunet", "universeg")
"""Systems that segment from the supports; ``nnunet-20`` is ``nnunet`` trained for 20 epochs."""
NAMES = (*PROMPTS, *FEW_SHOT)

_UNIVERSEG = (
    "UniverSeg isn't on PyPI, and its weights are a release on GitHub (JJGO/UniverSeg), which isn't downloaded: compare"
    " with the paper's figures, which stand in Table 1."
)


@dataclass(frozen=True)
class Unavailable:
    """A system of the paper that can't be installed.

    Attributes
    ----------
    name : str
        Its name in results, if there were any.
    reason : str
        Why, in a sentence, and what to do.
    """

    name: str
    reason: str

    def missing(self) -> str:
        """Say why it can't run here."""
        return self.reason

    def segment(
        self,
        supports: tuple[SupportSlice, ...],  # noqa: ARG002
        label: int,  # noqa: ARG002
        query: QueryVolume,  # noqa: ARG002
        spacing: tuple[float, float, float],  # noqa: ARG002
        truth: NDArray[Any],  # noqa: ARG002
    ) -> NDArray[np.bool_]:
        """Refuse.

        Raises
        ------
        ProblemError
            Always.
        """
        raise ProblemError(self.reason)


def find_systems(names: Sequence[str], config: RevSAM2Config) -> tuple[System, ...]:
    """Find systems by name, in the order of the names; nothing is loaded or trained yet.

    Parameters
    ----------
    names : sequence of str
        Of `NAMES`, or ``nnunet-EPOCHS``.
    config : RevSAM2Config
        Checkpoint, precision and image size of the prompted ones, device of those that compute on one, and seed.

    Raises
    ------
    ProblemError
        When a name isn't known, or nnU-Net has no trainer of so many epochs.
    """
    return tuple(_find(name, config) for name in names)


def _find(name: str, config: RevSAM2Config) -> System:
    if name in PROMPTS:
        from .prompt_baselines import prompt_baselines

        return next(baseline for baseline in prompt_baselines(config) if baseline.name == name)
    if name == "registration":
        from .registration import Registration

        return Registration()
    if name == "universeg":
        return Unavailable(name, _UNIVERSEG)
    system, _, epochs = name.partition("-")
    if system == "nnunet" and (epochs.isdecimal() or name == "nnunet"):
        from .nnunet import DEFAULT_EPOCHS, NnUNet

        return NnUNet(name, int(epochs or DEFAULT_EPOCHS), config.device)
    raise ProblemError(f"There is no system {name!r} to compare with: use one of {', '.join(NAMES)}, or nnunet-EPOCHS.")
