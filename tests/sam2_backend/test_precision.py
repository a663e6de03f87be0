"""What the network computes in is told in the result, and near enough to float32."""

from __future__ import annotations

import numpy as np
import pytest

from napari_revsam2.engine.dice import dice
from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend.loading import load_with_store
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import Precision, RevSAM2Config
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.volume_files.file_problem import open_problem


def run(**settings: object) -> RunFinished:
    """Run on the middle of the sample data."""
    config = RevSAM2Config(n_support=3, top_k=3, **settings)
    problem = open_problem(list(sample_supports()), sample_query()[0], config)
    query = type(problem.query)(problem.query.slices[8:18], problem.query.limits)
    *_, last = run_revsam2(load_with_store(config), problem.supports, query, config, (1,))
    return last


def test_bfloat16_gives_nearly_the_masks_of_float32_and_says_so():
    exact, half = run(precision=Precision.FLOAT32), run(precision=Precision.BFLOAT16)
    assert half.computed_with == {"device": "cpu", "precision": "bfloat16"}
    assert exact.computed_with["precision"] == "float32"
    assert exact.segmentation.any()
    assert dice(half.segmentation > 0, exact.segmentation > 0) > 0.95
    np.testing.assert_allclose(half.labels[0].reverse_scores, exact.labels[0].reverse_scores, atol=0.05)


def test_another_image_size_is_computed_with():
    assert run(image_size=96).segmentation.shape == run().segmentation.shape


def test_a_size_that_the_network_cannot_halve_is_refused():
    with pytest.raises(ProblemError, match="multiple of 32, not 100"):
        RevSAM2Config(image_size=100)
