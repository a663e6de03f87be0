"""The checkpoint that ships in this package. Loads no torch."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import metadata
from importlib.resources import as_file, files
from pathlib import Path


@dataclass(frozen=True)
class BundledCheckpoint:
    """A file of weights in this package, under its licence; implements `.checkpoint.Checkpoint`.

    Attributes
    ----------
    name : str
        What it is called.
    file : str
        What its file is called.
    about : str
        What a user should know of it.
    takes_points : bool
        Whether it was taught points and boxes beside masks.
    """

    name: str
    file: str
    about: str
    takes_points: bool
    is_private: bool = False
    is_available: bool = True
    image_size: int | None = None

    def on_disk(self) -> AbstractContextManager[Path]:
        """Have its file on disk meanwhile, also out of a package in an archive."""
        return as_file(files("napari_revsam2.sam2_backend") / "weights" / self.file)

    @property
    def megabytes(self) -> int:
        """About how large the file is."""
        with self.on_disk() as path:
            return round(path.stat().st_size / 10**6)

    @property
    def licence(self) -> str:
        """Licence of this package."""
        return metadata("napari-revsam2")["License-Expression"]


REVSAM2_MINI = BundledCheckpoint(
    "revsam2-mini",
    "revsam2_mini.safetensors",
    "Ships with this package: small, quick on any processor",
    takes_points=False,
)
