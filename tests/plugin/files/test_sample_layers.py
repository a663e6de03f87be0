"""The sample, ready for Run."""

from __future__ import annotations

import numpy as np

from napari_revsam2.plugin.files.sample_layers import hippocampus


def test_the_sample_is_ten_painted_slices_of_three_subjects_and_a_query_on_top():
    layers = hippocampus()
    labels = [data for data, _, kind in layers if kind == "labels"]
    assert sum(int(data.any((1, 2)).sum()) for data in labels) == 10
    assert [attributes.get("visible", True) for _, attributes, _ in layers] == [False] * 6 + [True]
    assert all({1, 2} <= set(np.unique(data)) for data in labels)
