"""A few hundred damaged files of each kind: each is read, or refused in one sentence of ours.

`make fuzz` damages others for an hour; what it finds is kept in ``tests/fuzz/cases/<kind>/`` and tried here as well.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .targets import TARGETS, case, finding

N_CASES = 250
KEPT = Path(__file__).with_name("cases")


@pytest.mark.parametrize("kind", TARGETS)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(kind, tmp_path):
    target = TARGETS[kind]
    target.build(tmp_path)
    example = (tmp_path / target.file).read_bytes()
    assert finding(target, tmp_path, example) == ""
    kept = {path.name: path.read_bytes() for path in sorted(KEPT.glob(f"{kind}/*"))}
    damaged = {f"seed {seed}": case(target, example, seed) for seed in range(N_CASES)}
    faults = {name: finding(target, tmp_path, content) for name, content in {**kept, **damaged}.items()}
    assert {name: fault for name, fault in faults.items() if fault} == {}


def test_the_damage_is_the_same_for_the_same_seed(tmp_path):
    target = TARGETS["session"]
    target.build(tmp_path)
    example = (tmp_path / target.file).read_bytes()
    damaged = [case(target, example, seed) for seed in range(20)]
    assert damaged == [case(target, example, seed) for seed in range(20)]
    assert len(set(damaged)) > 15


def test_every_kept_case_is_of_a_kind_that_is_tried():
    assert {path.parent.name for path in KEPT.glob("*/*")} <= TARGETS.keys()  # none is kept yet: no folder
