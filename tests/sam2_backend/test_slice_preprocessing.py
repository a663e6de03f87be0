"""Sizes, windows and back."""

import numpy as np
import torch

from napari_revsam2.sam2_backend.slice_preprocessing import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    logits_to_size,
    mask_to_tensor,
    slice_to_tensor,
)


def test_limits_become_black_and_white_and_what_lies_beyond_is_cut():
    image = np.array([[-500, 0], [100, 900]], np.int16)
    tensor = slice_to_tensor(image, (0, 100), 2)
    grey = tensor * torch.tensor(IMAGENET_STD)[:, None, None] + torch.tensor(IMAGENET_MEAN)[:, None, None]
    for channel in grey:
        torch.testing.assert_close(channel, torch.tensor([[0.0, 0.0], [1.0, 1.0]]))


def test_views_with_negative_strides_are_taken():
    image = np.arange(12.0).reshape(3, 4)
    flipped = slice_to_tensor(image[::-1, ::-1], (0, 11), 8)
    torch.testing.assert_close(flipped, slice_to_tensor(image, (0, 11), 8).flip(1, 2))


def test_a_mask_of_the_models_size_is_unchanged_and_another_is_resized_to_zeros_and_ones():
    mask = np.zeros((8, 8), bool)
    mask[2:5, 3:7] = True
    np.testing.assert_array_equal(mask_to_tensor(mask, 8)[0].numpy(), mask)
    resized = mask_to_tensor(mask, 16)[0]
    assert set(resized.unique().tolist()) == {0.0, 1.0}
    np.testing.assert_array_equal(resized.numpy()[::2, ::2][3:4, 4:6], [[1, 1]])


def test_logits_come_back_at_the_slices_own_size():
    assert logits_to_size(torch.zeros(1, 1, 4, 4), (7, 5)).shape == (7, 5)
