"""How good a network is on episodes that training never draws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from training.curriculum import UNCHANGED, Shares
from training.validation import held_out, validate

from napari_revsam2.sam2_backend.checkpoints.architectures import MINI


@pytest.mark.usefixtures("small_patients")
def test_both_kinds_of_episodes_are_the_same_each_time_and_measured_apart() -> None:
    before, changed = held_out(64, 1, Shares())
    assert before.batches[0].queries.equal(held_out(64, 1, Shares())[0].batches[0].queries)
    assert before.batches[0].recipe.shares == UNCHANGED
    assert changed.batches[0].recipe.shares == replace(Shares(), changed=1.0)
    network = MINI.build(64)
    rows = [validate(network, 7, kind) for kind in (before, changed)]
    assert [(row.step, row.episodes, row.size) for row in rows] == [(7, "as before", 64), (7, "changed", 64)]
    assert validate(network, 7, before).loss == rows[0].loss != rows[1].loss
