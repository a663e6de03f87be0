"""The network of the last run, kept with its embeddings so that the next one starts at once. No Qt."""

from __future__ import annotations

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


def give_back_from_package() -> None:
    """Give memory that PyTorch keeps, but doesn't use, back to the device."""
    from napari_revsam2.sam2_backend.device import give_back_unused

    give_back_unused()


class KeptNetwork:
    """Loads a network when another checkpoint or device is asked for; used on the model thread only.

    Parameters
    ----------
    load : callable
        From settings to a network.
    give_back : callable
        Gives memory that isn't used back to the device.
    """

    def __init__(
        self, load: LoadPropagator = load_from_package, give_back: Callable[[], None] = give_back_from_package
    ) -> None:
        self._load = load
        self._give_back = give_back
        self._choice: tuple[object, ...] | None = None
        self._problem: object = None
        self._network: StoredEmbeddings[Any, Any, Any] | None = None

    def for_run(self, config: RevSAM2Config, problem: object) -> StoredEmbeddings[Any, Any, Any]:
        """Give the network for ``config``; embeddings are kept as long as ``problem`` is the same object.

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
        elif problem is not self._problem:
            self._network.clear()
        self._problem = problem
        return self._network

    @contextmanager
    def given_back_when_it_is_too_large(self) -> Iterator[None]:
        """Keep neither network nor embeddings when the memory isn't enough, so that the next choice finds it free."""
        try:
            yield
        except Exception as error:
            if is_memory_shortage(error):
                self._network = self._problem = self._choice = None
            raise

    def give_back_unused(self) -> None:
        """Give memory that PyTorch keeps for the next run, but doesn't use, back to the device."""
        with suppress(RuntimeError):  # of a device that has failed, which the run has said
            self._give_back()

    def forget_embeddings(self) -> None:
        """Let the next run encode everything anew."""
        self._problem = None
