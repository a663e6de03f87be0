"""What a checkpoint is, wherever its weights come from, and how it is found from text. Loads no torch."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from .bundled import REVSAM2_MINI
from .from_file import FileCheckpoint
from .published import PUBLISHED


class Checkpoint(Protocol):
    """Weights of a network of the SAM 2 family: bundled with this package, published by others, or in a user's file."""

    @property
    def name(self) -> str:
        """What it is called; of a file its name without the folder, so that it can be written into results."""

    @property
    def is_private(self) -> bool:
        """Whether only this machine knows it: its path must not be stored, and another process may not find it."""

    @property
    def about(self) -> str:
        """What a user should know of it."""

    @property
    def licence(self) -> str:
        """Under which licence it is published."""

    @property
    def megabytes(self) -> int:
        """About how large the file is."""

    @property
    def image_size(self) -> int | None:
        """Side of the images it was made for, in pixels, where that isn't its architecture's own."""

    @property
    def takes_points(self) -> bool:
        """Whether it was taught points and boxes beside masks."""

    @property
    def is_available(self) -> bool:
        """Whether its file is on this machine."""

    def on_disk(self) -> AbstractContextManager[Path]:
        """Have its file on disk meanwhile.

        Raises
        ------
        CheckpointError
            When it isn't available; says how to get it.
        """


def known_checkpoints() -> dict[str, Checkpoint]:
    """Collect the checkpoints that have a name, by name: the bundled one first."""
    return {REVSAM2_MINI.name: REVSAM2_MINI, **PUBLISHED}


def find_checkpoint(text: str) -> Checkpoint:
    """Find a checkpoint by its name, or else take ``text`` as the path of a file, which may be missing."""
    known = known_checkpoints()
    return known.get(text) or FileCheckpoint(Path(text), tuple(known))


def sha256_of(path: Path) -> str:
    """Hash a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
