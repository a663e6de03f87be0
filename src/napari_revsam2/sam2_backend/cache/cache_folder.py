"""The folder of what can be downloaded or computed again, and how much of it embeddings may take up. Loads no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from napari_revsam2.vocabulary.errors import EmbeddingFilesError

GIGABYTE = 10**9
DEFAULT_LIMIT = 20
ENDING = ".safetensors"
"""Of the file of an embedding."""
UNFINISHED = ".part"
"""Of the file of an embedding that is being written, or was when its process ended."""


@dataclass(frozen=True)
class EmbeddingFile:
    """The file of an embedding."""

    path: Path
    size: int
    """Bytes."""
    used: float
    """When it was written or read last, in seconds since 1970."""


def cache_folder() -> Path:
    """Find the cache: ``$NAPARI_REVSAM2_CACHE``, by default the user's own."""
    return Path(os.environ.get("NAPARI_REVSAM2_CACHE") or user_cache_path("napari-revsam2"))


def embeddings_folder() -> Path:
    """Find the folder of embeddings."""
    return cache_folder() / "embeddings"


def size_limit() -> int:
    """Bytes that embeddings may take on disk: ``$NAPARI_REVSAM2_EMBEDDINGS_GB``, 20 by default; 0 keeps none.

    Raises
    ------
    EmbeddingFilesError
        When the variable isn't a number, or is below 0.
    """
    text = os.environ.get("NAPARI_REVSAM2_EMBEDDINGS_GB") or str(DEFAULT_LIMIT)
    try:
        limit = round(float(text) * GIGABYTE)
    except (ValueError, OverflowError):
        limit = -1
    if limit < 0:
        raise EmbeddingFilesError(
            f"NAPARI_REVSAM2_EMBEDDINGS_GB is {text!r}, which isn't a number of gigabytes: set how many, or 0."
        )
    return limit


def embedding_files() -> list[EmbeddingFile]:
    """List what is there, the one used longest ago first.

    Raises
    ------
    EmbeddingFilesError
        When the folder can't be read.
    """
    try:
        return sorted(_found(ENDING), key=lambda file: file.used)
    except OSError as error:
        raise EmbeddingFilesError(
            f"{embeddings_folder()} can't be read ({error.strerror}): look at its permissions, or set "
            "NAPARI_REVSAM2_CACHE to another folder."
        ) from error


def trim(limit: int, keep_since: float = float("inf")) -> None:
    """Remove the embeddings used longest ago until the rest takes no more than ``limit`` bytes; skip what can't be.

    Parameters
    ----------
    limit : int
        Bytes.
    keep_since : float
        What was used since then stays in any case (seconds since 1970).

    Raises
    ------
    EmbeddingFilesError
        When the folder can't be read.
    """
    files = embedding_files()
    excess = sum(file.size for file in files) - limit
    for file in files:
        if excess <= 0 or file.used >= keep_since:
            return
        try:
            file.path.unlink(missing_ok=True)
        except OSError:  # a folder that can't be written; on Windows, while another process reads it
            continue
        excess -= file.size


def sweep(keep_since: float = float("inf")) -> None:
    """Remove unfinished files, which writers that were killed left behind; skip what can't be removed.

    Parameters
    ----------
    keep_since : float
        What was written since then may still be somebody's, and stays (seconds since 1970).

    Raises
    ------
    OSError
        When the folder can't be read.
    """
    for file in _found(UNFINISHED):
        if file.used < keep_since:
            with suppress(OSError):
                file.path.unlink()


def _found(ending: str) -> Iterator[EmbeddingFile]:
    for network in _inside(embeddings_folder()):
        for path in (path for path in _inside(network) if path.suffix == ending):
            with suppress(FileNotFoundError):  # another process removed it
                status = path.stat()
                yield EmbeddingFile(path, status.st_size, status.st_mtime)


def _inside(folder: Path) -> list[Path]:
    """List what is in a folder, which `Path.glob` does in silence where it may not."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
