"""Checkpoints that others publish."""

from __future__ import annotations

import errno
import os
import re

import pytest

from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint, checkpoint_folder
from napari_revsam2.vocabulary.errors import CheckpointError


@pytest.mark.parametrize("checkpoint", PUBLISHED.values(), ids=lambda c: c.name)
def test_each_comes_over_https_with_a_hash_of_its_own_or_of_its_hub(checkpoint: PublishedCheckpoint) -> None:
    assert all(url.startswith("https://") for url in checkpoint.urls)
    if checkpoint.sha256:
        assert re.fullmatch("[0-9a-f]{64}", checkpoint.sha256)
    else:
        assert checkpoint.urls[0].startswith("https://huggingface.co/")


def test_no_two_lie_in_one_file() -> None:
    assert len({checkpoint.path for checkpoint in PUBLISHED.values()}) == len(PUBLISHED)


def test_one_that_was_put_there_by_hand_is_available() -> None:
    checkpoint = PUBLISHED["medsam2"]
    assert not checkpoint.is_available
    checkpoint_folder().mkdir()
    checkpoint.path.touch()
    assert checkpoint.is_available
    with checkpoint.on_disk() as path:
        assert path == checkpoint.path


def test_one_that_is_not_available_is_named_with_the_two_ways_to_get_it() -> None:
    checkpoint = PUBLISHED["medsam2"]
    with pytest.raises(CheckpointError) as told:
        checkpoint.on_disk()
    assert "napari-revsam2 models download medsam2" in str(told.value)
    assert f"put the file from {checkpoint.urls[0]} at {checkpoint.path}" in str(told.value)


def test_one_in_a_folder_that_cannot_be_looked_into_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", refuse)
        assert not PUBLISHED["medsam2"].is_available
