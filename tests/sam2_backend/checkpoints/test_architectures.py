"""The networks of the SAM 2 family are built from configurations and told apart by their weights."""

from __future__ import annotations

import pytest
import torch
from sam2.sam2_video_predictor import SAM2VideoPredictor

from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES, MINI, Architecture, architecture_of
from napari_revsam2.vocabulary.errors import CheckpointError


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_signatures_tell_the_architectures_apart(architecture: Architecture) -> None:
    assert [a for a in ARCHITECTURES if a.signature() == architecture.signature()] == [architecture]


@pytest.mark.parametrize("name", ["revsam2-mini", "sam2-hiera-tiny", "sam2.1-hiera-tiny"])
def test_the_architecture_is_found_from_the_weights(name: str) -> None:
    architecture = next(a for a in ARCHITECTURES if a.name == name)
    assert architecture_of(architecture.build(image_size=64).state_dict(), "a file") is architecture


def test_weights_of_another_network_are_refused_with_those_that_fit() -> None:
    with pytest.raises(CheckpointError, match=r"^a file holds .* choose .* \(revsam2-mini, .*, sam2\.1-hiera-large\)"):
        architecture_of({"layer.weight": torch.zeros(2, 2)}, "a file")


@pytest.mark.parametrize(("image_size", "expected"), [(None, 192), (64, 64)])
def test_a_network_is_built_for_images_of_a_size_and_for_inference(image_size: int | None, expected: int) -> None:
    model = MINI.build(image_size)
    assert model.image_size == expected
    assert not model.training


def test_the_stock_predictor_is_built_with_the_same_weights() -> None:
    predictor = MINI.build(target=SAM2VideoPredictor)
    assert isinstance(predictor, SAM2VideoPredictor)
    assert predictor.state_dict().keys() == MINI.build().state_dict().keys()
