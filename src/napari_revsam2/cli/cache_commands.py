"""``napari-revsam2 cache``: what embeddings take on this machine."""

from __future__ import annotations

from napari_revsam2.sam2_backend.cache.cache_folder import (
    GIGABYTE,
    embedding_files,
    embeddings_folder,
    size_limit,
    sweep,
    trim,
)
from napari_revsam2.vocabulary.errors import EmbeddingFilesError
from napari_revsam2.volume_files.protected_inputs import ProtectedInputs

from .streams import one_line, say


def show_cache() -> None:
    """Print where embeddings are kept, how many there are, and how much they take and may take.

    Raises
    ------
    EmbeddingFilesError
        When the limit isn't a number.
    """
    files = embedding_files()
    taken, limit = sum(file.size for file in files) / GIGABYTE, size_limit() / GIGABYTE
    say(one_line(str(embeddings_folder())))
    say(f"{len(files)} slices, {taken:.3f} GB of {limit:g} GB (NAPARI_REVSAM2_EMBEDDINGS_GB)")


def check_cache(inputs: ProtectedInputs) -> None:
    """Refuse to keep embeddings in a folder that is read.

    Raises
    ------
    VolumeFileError
        When the cache lies in one.
    EmbeddingFilesError
        When the limit isn't a number.
    """
    if size_limit():
        inputs.check(embeddings_folder(), "set NAPARI_REVSAM2_CACHE to another folder")


def clear_cache() -> None:
    """Delete all embeddings.

    Raises
    ------
    EmbeddingFilesError
        When they can't be deleted.
    """
    files = embedding_files()
    trim(-1)
    sweep()
    if left := embedding_files():
        raise EmbeddingFilesError(
            f"{len(left)} slices in {embeddings_folder()} can't be removed: end the programs that use them, or look at "
            "the folder's permissions."
        )
    say(f"{len(files)} slices removed, {sum(file.size for file in files) / GIGABYTE:.3f} GB")
