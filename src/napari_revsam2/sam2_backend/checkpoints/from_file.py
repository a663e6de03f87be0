"""A checkpoint in a file of the user's. Loads no torch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from napari_revsam2.vocabulary.errors import CheckpointError
from napari_revsam2.vocabulary.names import meant


@dataclass(frozen=True)
class FileCheckpoint:
    """A file of weights of any SAM 2 or SAM 2.1 architecture; implements `.checkpoint.Checkpoint`.

    Attributes
    ----------
    path : Path
        Where it lies.
    names : tuple of str
        Those of known checkpoints, one of which may have been meant.
    """

    path: Path
    names: tuple[str, ...] = ()
    is_private: bool = True
    about: str = "Weights from a file: their size decides how long a slice takes"
    licence: str = "unknown"
    image_size: int | None = None
    takes_points: bool = True

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.path.name

    @property
    def megabytes(self) -> int:
        """About how large the file is."""
        return round(self.path.stat().st_size / 10**6)

    @property
    def is_available(self) -> bool:
        """Whether the file exists and may be read."""
        try:
            return self.path.is_file()
        except OSError:  # in a folder that can't be looked into
            return False

    def on_disk(self) -> AbstractContextManager[Path]:
        """Return its path.

        Raises
        ------
        CheckpointError
            When the file is missing or can't be read.
        """
        try:
            if self.path.is_file():
                return nullcontext(self.path)
        except OSError as error:
            raise CheckpointError(
                f"{self.path} can't be read ({error.strerror}): choose a file that can be read."
            ) from error
        ending = meant(str(self.path), self.names, otherwise="choose a file, or one of")
        raise CheckpointError(f"There is no checkpoint {str(self.path)!r}: {ending}")
