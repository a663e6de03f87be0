"""From settings to a network that is ready to run."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.sam2_backend.cache.cache_folder import embedding_files
from napari_revsam2.sam2_backend.loading import load_propagator, load_with_store
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import CheckpointError, DeviceError, EmbeddingFilesError

SLICE, LIMITS = np.random.default_rng(0).random((20, 20)), (0.0, 1.0)


@pytest.mark.parametrize(("asked", "image_size"), [(0, 192), (96, 96)])
def test_the_network_sees_images_of_the_size_that_is_asked_for_or_its_own(asked, image_size):
    assert load_propagator(RevSAM2Config(image_size=asked)).model.image_size == image_size


def test_it_computes_as_the_settings_say():
    config = RevSAM2Config(device="cpu", precision=Precision.BFLOAT16)
    assert load_propagator(config).computed_with == {"device": "cpu", "precision": "bfloat16"}


@pytest.mark.parametrize(
    ("settings", "error"), [({"checkpoint": "sam3"}, CheckpointError), ({"device": "tpu"}, DeviceError)]
)
def test_a_checkpoint_or_device_that_is_not_available_is_refused(settings, error):
    with pytest.raises(error):
        load_propagator(RevSAM2Config(**settings))


@pytest.mark.parametrize(("limit", "count"), [("20", 1), ("0", 0)])
def test_embeddings_are_written_unless_the_limit_is_0(limit, count, monkeypatch):
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", limit)
    load_with_store(RevSAM2Config()).embed([SLICE], [LIMITS])
    assert len(embedding_files()) == count


def test_a_limit_that_is_no_number_is_refused(monkeypatch):
    monkeypatch.setenv("NAPARI_REVSAM2_EMBEDDINGS_GB", "many")
    with pytest.raises(EmbeddingFilesError, match="isn't a number"):
        load_with_store(RevSAM2Config())
