"""All settings of a run in one: form, command line and provenance are made from them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic.dataclasses import dataclass

from .method import MethodSettings, Mode
from .network import NetworkSettings, Precision
from .window import WindowSettings

__all__ = ["Mode", "Precision", "RevSAM2Config"]


# A dataclass lists the fields of its last base first: method, window, network.
@dataclass(frozen=True, kw_only=True)
class RevSAM2Config(NetworkSettings, WindowSettings, MethodSettings):
    """Settings of one run: of the method, of the grey window and of the network.

    Each part can be passed where only it is needed; labels, help, bounds and choices are listed by
    `napari_revsam2.settings.option.options_of`.

    Raises
    ------
    ProblemError
        When a number is out of bounds, a value is of another type, or a setting, mode, precision or window isn't known.
    """

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for provenance."""
        return {name: getattr(value, "value", value) for name, value in asdict(self).items()}
