"""Queries that are warped copies of the supports."""

from __future__ import annotations

import numpy as np
import pytest
from training.curriculum import Lesson
from training.episode_stream import EpisodeStream


@pytest.mark.usefixtures("small_patients")
def test_a_warped_batch_has_queries_made_of_its_supports_and_masks_that_fit_them() -> None:
    batch = EpisodeStream(3, 64, lambda step: Lesson(easy=1.0, warped=1.0))[0]
    assert not batch.queries[:, 0].equal(batch.supports[:, 0])
    shown, painted = batch.queries[:, :, 0], batch.query_masks[:, 0].bool()
    source, asked = batch.supports[:, :, 0], batch.support_masks[:, 0].bool()
    inside = [float(source[e][asked[e]].mean() - shown[e][painted[e]].mean()) for e in range(len(source))]
    anywhere = [float(source[e][asked[e]].mean() - shown[e].mean()) for e in range(len(source))]
    assert np.abs(inside).mean() < 0.5 * np.abs(anywhere).mean()  # the painted tissue keeps its grey value
