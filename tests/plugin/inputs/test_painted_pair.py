"""A pair, cut into slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_revsam2.plugin.inputs.painted_pair import cut_pair
from napari_revsam2.vocabulary.errors import ProblemError


def layers(shape=(5, 10, 12), labels_shape=None) -> tuple[Image, Labels]:
    return Image(np.zeros(shape), name="scan"), Labels(np.zeros(labels_shape or shape, np.uint8), name="scan labels")


def test_image_and_labels_are_cut_along_the_same_axis_at_the_same_point():
    pair = cut_pair(*layers((3, 5, 10, 12)), -2, (2, 0, 0, 0))
    assert (pair.image_slices.axis, pair.slices.axis) == (2, 2)
    assert pair.image_slices.point == pair.slices.point == (2, 0, 0, 0)
    assert len(pair.slices) == 10


def test_of_a_pair_that_was_only_cut_nothing_is_known():
    pair = cut_pair(*layers(), -3)
    assert not pair.is_known
    assert not pair.voxels


def test_unchecked_slices_are_not_checked():
    pair = replace(cut_pair(*layers(), -3), voxels={1: {1: 6}, 4: {2: 6, 3: 1}})
    assert pair.checked({1}) == {4: (2, 3)}
    assert pair.checked(()) == {1: (1,), 4: (2, 3)}


def test_labels_of_another_shape_are_refused():
    with pytest.raises(ProblemError, match="have 5 x 10 x 11 voxels and their image 'scan' has 5 x 10 x 12"):
        cut_pair(*layers(labels_shape=(5, 10, 11)), -3)


def test_an_axis_that_the_layers_lack_is_refused():
    with pytest.raises(ProblemError, match="'scan' has no axis -4"):
        cut_pair(*layers(), -4)
