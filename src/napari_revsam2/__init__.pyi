"""The public names and where they come from: read by type checkers, and by lazy_loader when the package is imported."""

from .engine.pipeline import propagate_again, run_revsam2
from .engine.problem import QueryVolume, SupportSet, SupportSlice
from .sam2_backend.cache.embedding_store import StoredEmbeddings
from .sam2_backend.loading import load_propagator
from .settings.config import RevSAM2Config
from .settings.method import Mode
from .vocabulary.axis import Axis
from .vocabulary.errors import RevSAM2Error
from .volume_files.file_problem import FileProblem, open_problem

__version__: str

__all__ = [
    "Axis",
    "FileProblem",
    "Mode",
    "QueryVolume",
    "RevSAM2Config",
    "RevSAM2Error",
    "StoredEmbeddings",
    "SupportSet",
    "SupportSlice",
    "load_propagator",
    "open_problem",
    "propagate_again",
    "run_revsam2",
]
