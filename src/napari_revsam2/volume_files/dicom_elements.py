"""The lengths that the elements of a DICOM file claim, before GDCM asks for so much memory and never returns it."""

from __future__ import annotations

from os import SEEK_CUR
from pathlib import Path

_PREAMBLE = 132
_UNDEFINED = 2**32 - 1
_LONG_FORMS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
"""Value representations whose length takes four bytes, after two empty ones."""
_META_FORMS = (b"AE", b"OB", b"SH", b"UI", b"UL", b"UR")
"""What the elements before the data set can be."""
_META_GROUP, _TRANSFER_SYNTAX = 0x0002, 0x0010
_IMPLICIT, _EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"


def claims_fit(path: Path) -> bool:
    """Tell whether all elements lie within their file, as far as can be said without reading inside of sequences.

    Parameters
    ----------
    path : Path
        The file; of what isn't DICOM in little endian, or is compressed as a whole, nothing can be said.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        syntax = _EXPLICIT
        if not file.read(_PREAMBLE).endswith(b"DICM"):
            return True
        while start := file.read(8):
            group, element = int.from_bytes(start[:2], "little"), int.from_bytes(start[2:4], "little")
            if group == _META_GROUP or syntax != _IMPLICIT:
                length = int.from_bytes(file.read(4) if start[4:6] in _LONG_FORMS else start[6:], "little")
            else:
                length = int.from_bytes(start[4:], "little")
            if length == _UNDEFINED:
                return True
            if group == _META_GROUP and start[4:6] not in _META_FORMS:
                return False
            if file.tell() + length > size:
                return False
            if (group, element) != (_META_GROUP, _TRANSFER_SYNTAX):
                file.seek(length, SEEK_CUR)
            else:
                syntax = file.read(length).rstrip(b"\0 ")
                if not (syntax in (_IMPLICIT, _EXPLICIT) or syntax.startswith(b"1.2.840.10008.1.2.4")):
                    return True
    return True
