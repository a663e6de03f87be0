"""What is taught when."""

from __future__ import annotations

from dataclasses import fields

import pytest
from training.curriculum import FULL_FROM, UNCHANGED, Shares, lesson


def test_lessons_go_from_features_to_warped_copies_to_other_patients_and_self_propagation() -> None:
    assert lesson(0).features_only
    reading, late = lesson(0.1), lesson(0.9)
    assert (reading.features_only, reading.warped, reading.follows) == (False, 1, 0)
    assert late.warped < 0.2 < 0.4 < late.follows
    assert late.easy < reading.easy


def test_what_makes_episodes_hard_joins_in_late() -> None:
    assert lesson(FULL_FROM - 0.01, Shares()).shares == UNCHANGED
    assert lesson(FULL_FROM, Shares()).shares == Shares()


def test_half_of_the_batches_stay_as_they_were() -> None:
    assert Shares().changed == 0.5


def test_ingredients_are_switched_off_by_name() -> None:
    shares = Shares().without("thin", "inverted")
    assert (shares.thin, shares.inverted, shares.own_masks) == (0, 0, Shares().own_masks)
    assert not any(vars(UNCHANGED).values())
    assert set(vars(UNCHANGED)) == {field.name for field in fields(Shares)}


def test_an_unknown_ingredient_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown ingredients salt: choose from changed, large, .*scanner_noise"):
        Shares().without("salt")
