"""The network of the last run, kept with its embeddings so that the next one starts at once. No Qt."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import is_memory_shortage

LoadPropagator = Callable[[RevSAM2Config], StoredEmbeddings[Any, Any, Any]]


def load_from_package(config: RevSAM2Config) -> StoredEmbeddings[Any, Any, Any]:
    """Load the checkpoint of ``config`` onto its device; imports torch, which takes seconds, only now.

    Raises
    ------
    CheckpointError, DeviceError, EmbeddingFilesError
        When one of them isn't to be had.
    """
    from napari_revsam2.sam2_backend.loading import load_with_store

    return load_with_store(config)


def release_from_package() -> None:
    """Return memory to the device that PyTorch keeps, but doesn't use."""
    from napari_revsam2.sam2_backend.device import give_back_unused

    give_back_unused()


class KeptNetwork:
    """Loads a network when another checkpoint or device is asked for; used on the model thread only.

    Parameters
    ----------
    load : callable
        From settings to a network.
    release : callable
        Returns unused memory to the device.
    """

    def __init__(
        self, load: LoadPropagator = load_from_package, release: Callable[[], None] = release_from_package
    ) -> None:
        self._load = load
        self._release = release
        self._choice: tuple[object, ...] | None = None
        self._problem: Callable[[], object] = _nothing
        self._network: StoredEmbeddings[Any, Any, Any] | None = None

    def for_run(self, config: RevSAM2Config, problem: object) -> StoredEmbeddings[Any, Any, Any]:
        """Find or load the network for ``config``.

        Parameters
        ----------
        config : RevSAM2Config
            Settings.
        problem : object
            The query's data; embeddings are kept as long as it is the same object, which isn't kept alive for it.

        Raises
        ------
        RevSAM2Error
            When it can't be loaded.
        """
        choice = (config.checkpoint, config.device, config.precision, config.image_size)
        if self._network is None or choice != self._choice:
            self._network = None  # the old one goes before the new one comes
            self._network = self._load(config)
            self._choice = choice
        elif problem is not self._problem():
            self._network.clear()
        self._problem = _weak(problem)
        return self._network

    @contextmanager
    def dropped_if_too_large(self) -> Iterator[None]:
        """Keep neither network nor embeddings when the memory isn't enough, so that the next choice finds it free."""
        try:
            yield
        except Exception as error:
            if is_memory_shortage(error):
                self._network = self._choice = None
            raise

    def release_unused(self) -> None:
        """Return memory to the device that PyTorch keeps for the next run, but doesn't use."""
        with suppress(RuntimeError):  # of a device that has failed, which the run has said
            self._release()

    def forget_embeddings(self) -> None:
        """Let the next run encode everything anew."""
        self._problem = _nothing


def _weak(problem: object) -> Callable[[], object]:
    """Refer to data without keeping it; data that can't be referred to so counts as new each time."""
    try:
        return weakref.ref(problem)
    except TypeError:
        return _nothing


def _nothing() -> None:
    """Stand for a problem that is gone."""
