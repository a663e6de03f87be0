"""Where a result comes from, as plain values for JSON: window, command line and evaluation add their own facts."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PureWindowsPath
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from .config import RevSAM2Config
from .intensity_window import Limits

_AROUND_URL_PATH = re.compile(r"^[^/]*:(//[^/?#]*)?|[?#].*", re.DOTALL)
"""Scheme and host of a URL, and what follows its path."""
_PACKAGES = (
    "napari-revsam2", "torch", "sam2", "numpy", "scipy", "nibabel", "tifffile", "SimpleITK", "napari", "monai",
    "distributed", "nnunetv2",
)  # fmt: skip


def provenance(
    config: RevSAM2Config,
    computed_with: Mapping[str, str],
    query_limits: Limits | None = None,
    support_limits: Mapping[int, Limits] = MappingProxyType({}),
) -> dict[str, Any]:
    """Collect what is needed to repeat a run.

    Parameters
    ----------
    config : RevSAM2Config
        Its settings.
    computed_with : mapping of str to str
        Device and precision that the network chose.
    query_limits : tuple of float, optional
        Grey values of the query seen as black and white; None where they aren't known.
    support_limits : mapping of int to tuple of float
        Those of each support volume, by its number.
    """
    return {
        "settings": plain_settings(config),
        "limits": {
            "query": None if query_limits is None else _plain(query_limits),
            "supports": {str(volume): _plain(limits) for volume, limits in support_limits.items()},
        },
        "computed_with": dict(computed_with),
        "versions": versions(),
    }


def plain_settings(config: RevSAM2Config) -> dict[str, Any]:
    """Convert to values that JSON holds; without the checkpoint's folder, which names people and machines."""
    return {**config.as_dict(), "checkpoint": file_name(config.checkpoint)}


def file_name(text: str) -> str:
    """Reduce a path, absolute or not, or a URL to the name of its file; what is neither stays as it is."""
    if "://" in text or text.lower().startswith("file:"):
        text = _AROUND_URL_PATH.sub("", text)
    return PureWindowsPath(unquote(text)).name  # it knows both kinds of slash


def versions() -> dict[str, str]:
    """Python and the packages that can change a number; without those that aren't installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _plain(limits: Limits) -> list[float]:
    return [float(grey) for grey in limits]
