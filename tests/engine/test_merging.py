"""Several classes in one volume."""

from __future__ import annotations

import numpy as np

from napari_revsam2.engine.merging import LabelMerger


def test_the_higher_logit_wins_however_close_the_other_is():
    merger = LabelMerger((1, 2), (1, 1, 3))
    merger.add(1, 0, np.array([[10.003, 1.0, -1.0]], np.float32))
    merger.add(2, 0, np.array([[10.0, 1.001, -2.0]], np.float32))
    assert merger.segmentation[0, 0].tolist() == [1, 2, 0]
