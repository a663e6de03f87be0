"""RevSAM2: segment a CT or MRI volume from a few painted slices, on SAM 2, without training.

The public names below are imported when first used, so that ``import napari_revsam2`` loads no torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Axis": "vocabulary.axis",
    "FileProblem": "volume_files.file_problem",
    "Mode": "settings.config",
    "QueryVolume": "engine.problem",
    "RevSAM2Config": "settings.config",
    "RevSAM2Error": "vocabulary.errors",
    "StoredEmbeddings": "sam2_backend.cache.embedding_store",
    "SupportSet": "engine.problem",
    "SupportSlice": "engine.problem",
    "load_propagator": "sam2_backend.loading",
    "open_problem": "volume_files.file_problem",
    "propagate_again": "engine.pipeline",
    "run_revsam2": "engine.pipeline",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
