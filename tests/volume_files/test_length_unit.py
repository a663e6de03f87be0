"""Units of length by the names that files use."""

from __future__ import annotations

import pytest

from napari_revsam2.volume_files.length_unit import length_unit, millimetres


@pytest.mark.parametrize(
    ("name", "unit", "length"),
    [
        ("Meters", "m", 1000),
        ("in", "inch", 25.4),
        ("CM", "cm", 10),
        ("millimetre", "mm", 1),
        ("\u03bcm", "micron", 1e-3),
        (r"\u00B5m", "micron", 1e-3),
        ("nanometers", "nm", 1e-6),
        ("pixel", "", 1),
        ("", "", 1),
        (None, "", 1),
    ],
)
def test_a_name_stands_for_a_length_and_none_for_mm(name, unit, length):
    assert length_unit(name) == unit
    assert millimetres(unit) == length
