"""Units of length as image files name them."""

from __future__ import annotations

_MILLIMETRES = {"m": 1000.0, "inch": 25.4, "cm": 10.0, "mm": 1.0, "micron": 1e-3, "nm": 1e-6}
_NAMES = {
    "m": ("m", "meter", "meters", "metre"),
    "inch": ("inch", "inches", "in"),
    "cm": ("cm", "centimeter", "centimeters", "centimetre"),
    "mm": ("mm", "millimeter", "millimeters", "millimetre"),
    # Both Unicode letters, and the first as ImageJ escapes it.
    "micron": ("micron", "microns", "um", "\u00b5m", "\u03bcm", r"\u00b5m", "micrometer", "micrometre"),
    "nm": ("nm", "nanometer", "nanometers", "nanometre"),
}
_UNITS = {name: unit for unit, names in _NAMES.items() for name in names}


def length_unit(name: object) -> str:
    """Find the unit that a file means, in ImageJ's spelling; empty for none, and for one that isn't known."""
    return _UNITS.get(str(name).lower(), "")


def millimetres(unit: str) -> float:
    """Length in mm of what `length_unit` finds; no unit counts as mm."""
    return _MILLIMETRES.get(unit, 1.0)
