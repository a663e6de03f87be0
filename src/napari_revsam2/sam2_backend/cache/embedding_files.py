"""Embeddings on disk: one safetensors file a slice, which appears under its name when it is whole."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from sam2.modeling.sam2_base import SAM2Base

from napari_revsam2.sam2_backend.device import translated_memory_errors
from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings
from napari_revsam2.vocabulary.errors import EmbeddingFilesError

from .cache_folder import GIGABYTE, embeddings_folder, size_limit, trim

_FORMAT = 3
"""Raised when the same network and slice lead to other numbers or another file."""


class EmbeddingFiles:
    """The embeddings of one network; implements `napari_revsam2.sam2_backend.cache.embedding_store.EmbeddingFiles`.

    The folder's name is a hash of the network, its image size and precision, a file's that of the slice and its grey
    limits: no names and no paths of images. A file's time of change is when it was used last. The files of this and
    all other networks together keep to `cache.size_limit`, but what this object has used stays. Files in a folder that
    can't be written are read; only `save` minds, as memory may be enough.

    Parameters
    ----------
    model : SAM2Base
        The network, on its device.
    precision : str
        What it computes in.

    Raises
    ------
    EmbeddingFilesError
        When the limit isn't a number.
    """

    def __init__(self, model: SAM2Base, precision: str) -> None:
        self._folder = embeddings_folder() / network_hash(model, precision)
        self._device = model.device
        self._opened = time.time() - 2  # the clocks of file systems are coarse
        self._untrimmed = 0
        limit = size_limit()
        with suppress(OSError, EmbeddingFilesError):
            self._folder.mkdir(parents=True, exist_ok=True)
            embeddings_folder().chmod(0o700)  # they are computed from patients' images
            trim(limit)

    def __contains__(self, key: str) -> bool:
        """Whether a whole embedding is there; one that isn't is removed."""
        path = self._path(key)
        try:
            with safe_open(path, "pt"):  # reads the header and compares the length
                _mark_used(path)
        except OSError:
            return False
        except SafetensorError:
            _remove(path)
            return False
        return True

    def load(self, key: str) -> SliceEmbeddings | None:
        """Read an embedding onto the network's device; None where it is gone, or damaged and therefore removed.

        Raises
        ------
        NotEnoughMemoryError
            When it is more than the device's memory holds.
        """
        path = self._path(key)
        try:
            with translated_memory_errors():
                tensors = load_file(path, device=str(self._device))
                embedding = SliceEmbeddings(**{name: tensor.permute(0, 3, 1, 2) for name, tensor in tensors.items()})
        except OSError:  # another process trimmed the cache
            return None
        except (SafetensorError, TypeError, RuntimeError):
            _remove(path)
            return None
        _mark_used(path)
        return embedding

    def save(self, key: str, embedding: SliceEmbeddings) -> None:
        """Write an embedding.

        Raises
        ------
        EmbeddingFilesError
            When there is no room.
        """
        path = self._path(key)
        part = path.with_suffix(f".{uuid4().hex}.part")
        try:
            # Channels last in the file as in memory: then the CPU maps the file, and nothing is copied when it is read.
            # Copies would break up the process's memory, which then grows with the number of slices.
            save_file({name: t.permute(0, 2, 3, 1).contiguous() for name, t in vars(embedding).items()}, part)
            _mark_used(part)
            part.replace(path)
            self._untrimmed += embedding.nbytes
            if self._untrimmed > GIGABYTE:
                trim(size_limit(), keep_since=self._opened)
                self._untrimmed = 0
        except (SafetensorError, OSError) as error:
            _remove(part)
            raise _unwritable(error) from error

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def network_hash(model: SAM2Base, precision: str) -> str:
    """Hash of all that makes one network's embeddings differ from another's."""
    described = blake2b(repr((_FORMAT, model.image_size, precision)).encode(), digest_size=8)
    for name, tensor in model.state_dict().items():
        described.update(name.encode())
        plain = tensor.to_dense() if tensor.is_mkldnn else tensor.cpu().contiguous()
        described.update(plain.view(torch.uint8).numpy().data)
    return described.hexdigest()


def _mark_used(path: Path) -> None:
    """Note the time by this machine's clock, by which files are kept; the clock of a network drive may be another."""
    now = time.time()
    with suppress(OSError):  # a folder that can only be read
        os.utime(path, (now, now))


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _unwritable(error: Exception) -> EmbeddingFilesError:
    return EmbeddingFilesError(
        f"Embeddings can't be kept in {embeddings_folder()} ({error}): make room, or set NAPARI_REVSAM2_CACHE to "
        "another folder, or NAPARI_REVSAM2_EMBEDDINGS_GB to 0 to keep them in memory."
    )
