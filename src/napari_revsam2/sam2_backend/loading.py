"""From settings to a network that is ready to run."""

from __future__ import annotations

import torch

from napari_revsam2.sam2_backend.cache.cache_folder import size_limit
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.settings.network import NetworkSettings

from .device import choose_device, choose_precision
from .packed_linear import pack_linear_layers
from .sam2_memory import Segmentation, SliceEmbeddings, SliceMemories
from .sam2_propagator import Sam2Propagator

StoredSam2 = StoredEmbeddings[SliceEmbeddings, SliceMemories, Segmentation]


def load_propagator(settings: NetworkSettings) -> Sam2Propagator:
    """Load the checkpoint of ``settings`` onto its device.

    Raises
    ------
    CheckpointError, DeviceError
        When either isn't available.
    """
    device = choose_device(settings.device)
    model = load_model(settings.checkpoint, device, settings.image_size or None)
    precision = choose_precision(settings.precision, device)
    if device.type == "cpu" and precision is torch.float32:
        pack_linear_layers(model)
    return Sam2Propagator(model, precision=precision)


def load_with_store(settings: NetworkSettings) -> StoredSam2:
    """Load the checkpoint of ``settings``, and keep its embeddings in memory and in the user's cache.

    Raises
    ------
    CheckpointError, DeviceError
        When either isn't available.
    EmbeddingFilesError
        When the cache's limit isn't a number.
    """
    propagator = load_propagator(settings)
    if not size_limit():
        return StoredEmbeddings(propagator)
    return StoredEmbeddings(propagator, EmbeddingFiles(propagator.model, propagator.computed_with["precision"]))
