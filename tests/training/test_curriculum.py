"""What is taught when."""

from __future__ import annotations

from training.curriculum import lesson


def test_lessons_go_from_features_to_warped_copies_to_other_patients_and_self_propagation() -> None:
    assert lesson(0).features_only
    reading, late = lesson(0.1), lesson(0.9)
    assert (reading.features_only, reading.warped, reading.follows) == (False, 1, 0)
    assert late.warped < 0.2 < 0.4 < late.follows
    assert late.easy < reading.easy
