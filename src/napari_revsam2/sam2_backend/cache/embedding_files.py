"""Embeddings on disk: one safetensors file a slice, which appears under its name when it is whole.

Each file states a checksum of what it holds and whose embedding it is. CRC-32, as all that is meant is damage: it takes
a fifth of the time of a cryptographic hash, which a graphics card would have encoded the slice in.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor

from napari_revsam2.sam2_backend.device import translated_memory_errors
from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings
from napari_revsam2.vocabulary.errors import EmbeddingFilesError

from .cache_folder import ENDING, GIGABYTE, UNFINISHED, embeddings_folder, size_limit, sweep, trim

_FORMAT = 4
"""Raised when the same network and slice lead to other numbers or another file."""
_IDENTITY = "identity"
"""Name of the entry in a file's metadata that says whose embedding it is, with the checksum."""
_BLOCK = 2**20
_DAY = 24 * 60 * 60
"""Seconds after which an unfinished file is nobody's any more, even where the clock of a network drive is hours off."""


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
            sweep(keep_since=time.time() - _DAY)
            trim(limit)

    def __contains__(self, key: str) -> bool:
        """Whether an embedding is there as long as its file says; one that isn't is removed. `load` looks closer."""
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
            tensors = self._read(key)
        except OSError:  # another process trimmed the cache, or the disk fails
            return None
        except (SafetensorError, RuntimeError):
            _remove(path)
            return None
        with translated_memory_errors():
            on_device = {name: tensor.to(self._device).permute(0, 3, 1, 2) for name, tensor in tensors.items()}
        _mark_used(path)
        return SliceEmbeddings(**on_device)

    def save(self, key: str, embedding: SliceEmbeddings) -> None:
        """Write an embedding.

        Raises
        ------
        EmbeddingFilesError
            When there is no room.
        """
        path = self._path(key)
        part = path.with_suffix(f".{uuid4().hex}{UNFINISHED}")
        try:
            # Channels last in the file as in memory: then the CPU maps the file, and nothing is copied when it is read.
            # Copies would break up the process's memory, which then grows with the number of slices.
            tensors = {name: t.permute(0, 2, 3, 1).cpu().contiguous() for name, t in vars(embedding).items()}
            save_file(tensors, part, {_IDENTITY: self._identity(key, tensors)})
            _flush(part)
            _mark_used(part)
            part.replace(path)  # a name that a power failure takes back is a miss: the folder needn't be flushed
            self._untrimmed += embedding.nbytes
            if self._untrimmed > GIGABYTE:
                trim(size_limit(), keep_since=self._opened)
                self._untrimmed = 0
        except (SafetensorError, OSError) as error:
            _remove(part)
            raise _unwritable(error) from error

    def _read(self, key: str) -> dict[str, Tensor]:
        """Map the file of an embedding into memory; SafetensorError where it holds anything but that embedding."""
        path = self._path(key)
        with path.open("rb") as file:  # a bad sector or a lost drive is an error now, the process's end once mapped
            while file.read(_BLOCK):
                pass
        with safe_open(path, "pt") as file:
            stated = (file.metadata() or {}).get(_IDENTITY)
            tensors = {name: file.get_tensor(name) for name in file.keys()} if stated else {}  # noqa: SIM118 - it is no dict
        if stated != self._identity(key, tensors):
            raise SafetensorError(f"{path} holds something else")
        return tensors

    def _identity(self, key: str, tensors: Mapping[str, Tensor]) -> str:
        """Say whose embedding it is, with a checksum of all tensors, their names, types and shapes."""
        checksum = 0
        for name, tensor in sorted(tensors.items()):
            checksum = zlib.crc32(repr((name, tensor.dtype, tuple(tensor.shape))).encode(), checksum)
            checksum = zlib.crc32(tensor.flatten().view(torch.uint8).numpy().data, checksum)
        return f"{self._folder.name}/{key} {checksum:08x}"

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{ENDING}"


def network_hash(model: SAM2Base, precision: str) -> str:
    """Hash of all that makes one network's embeddings differ from another's."""
    described = blake2b(repr((_FORMAT, model.image_size, precision)).encode(), digest_size=8)
    for name, tensor in model.state_dict().items():
        described.update(name.encode())
        plain = tensor.to_dense() if tensor.is_mkldnn else tensor.cpu().contiguous()
        described.update(plain.view(torch.uint8).numpy().data)
    return described.hexdigest()


def _flush(path: Path) -> None:
    """Have a file on the disk before it gets its name, which may otherwise get there first."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


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
