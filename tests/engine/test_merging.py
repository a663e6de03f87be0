"""Several classes in one volume."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.merging import LabelMerger
from napari_revsam2.vocabulary.errors import ProblemError


def test_the_higher_logit_wins_however_close_the_other_is():
    merger = LabelMerger((1, 2), (1, 1, 3))
    merger.add(1, 0, np.array([[10.003, 1.0, -1.0]], np.float32))
    merger.add(2, 0, np.array([[10.0, 1.001, -2.0]], np.float32))
    assert merger.segmentation[0, 0].tolist() == [1, 2, 0]


def test_of_equal_logits_the_first_class_keeps_the_voxel():
    merger = LabelMerger((7, 3), (1, 1, 1))
    for label in (7, 3):
        merger.add(label, 0, np.array([[2.0]], np.float32))
    assert merger.segmentation.tolist() == [[[7]]]


@pytest.mark.parametrize(("largest", "kind"), [(255, np.uint8), (256, np.uint16), (70000, np.uint32)])
def test_the_result_is_as_small_as_its_largest_class_lets_it_be(largest, kind):
    merger = LabelMerger((1, largest), (2, 1, 1))
    merger.add(largest, 1, np.array([[0.5]], np.float32))
    assert merger.segmentation.dtype == kind
    assert merger.segmentation[:, 0, 0].tolist() == [0, largest]


@pytest.mark.parametrize("label", [0, -1])
def test_a_class_below_one_is_refused(label):
    with pytest.raises(ProblemError, match=f"Class {label} is no class: number the classes from 1"):
        LabelMerger((label, 2), (1, 1, 1))
