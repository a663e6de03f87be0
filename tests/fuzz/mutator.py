"""Damage: what disks, networks and people with bad intentions do to a file; the same damage for the same seed."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

_EXTREMES = [0, 1, -1, 2**7 - 1, -(2**7), 2**15 - 1, -(2**15), 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 0x7FC00000]
"""Ends of number types, and the bits of a NaN."""

_TOKEN = re.compile(rb'-?\d+(?:\.\d+)?|"[^"\n]{0,200}"|true|false|null')
_HOSTILE_TOKENS = [
    *(b"", b"0", b"-1", b"1.5", b"1e999", b"-1e999", b"NaN", b"Infinity", b"true", b"null", b"[]", b"{}", b'""'),
    *(b"9" * 25, b"9" * 5000, b"1e308", b"1e-320", b"[" * 3000, b'{"a":' * 3000, b"[[1]]", b'"\\ud800"', b'"\\u0000"'),
    *(b'"../../../etc/passwd"', b'"' + b"x" * 5000 + b'"', b'"two\\nlines"', b'"=1+1"', b'"9**9**9"', b"\x00", b"\n"),
    *(b'"1"', b"0x10", b"1_000", "\u0661".encode(), b"\xff\xfe", b'"', b",", b"\t", b"2147483648", b"65536"),
]


def damaged(content: bytes, draw: Random) -> bytes:
    """Damage bytes in one to four places."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        content = draw.choice(_DAMAGES)(content, draw)
    return content


def damaged_text(content: bytes, draw: Random) -> bytes:
    """Damage text: values become others that mean harm; now and then as `damaged` does it."""
    if draw.random() < 0.25:
        return damaged(content, draw)
    for _ in range(draw.choice((1, 1, 2))):
        places = [match.span() for match in _TOKEN.finditer(content)] or [(0, 0)]
        start, stop = draw.choice(places)
        content = content[:start] + draw.choice(_HOSTILE_TOKENS) + content[stop:]
    return content


def damaged_number(content: bytes, draw: Random, start: int = 0, stop: int | None = None) -> bytes:
    """Put an extreme number, of one to eight bytes, somewhere from ``start`` to ``stop``."""
    place = draw.randrange(start, max(start + 1, min(stop or len(content), len(content))))
    size = draw.choice((1, 2, 4, 8))
    number = (draw.choice(_EXTREMES) % 2 ** (8 * size)).to_bytes(size, draw.choice(("little", "big")))
    return content[:place] + number + content[place + size :]


def _flipped(content: bytes, draw: Random) -> bytes:
    place = _place(content, draw)
    byte = content[place] if content else 0
    return content[:place] + bytes([byte ^ (1 << draw.randrange(8))]) + content[place + 1 :]


def _cut_short(content: bytes, draw: Random) -> bytes:
    return content[: _place(content, draw)]


def _with_noise(content: bytes, draw: Random) -> bytes:
    place = _place(content, draw)
    return content[:place] + draw.randbytes(draw.choice((1, 4, 64))) + content[place:]


def _without_a_piece(content: bytes, draw: Random) -> bytes:
    place = _place(content, draw)
    return content[:place] + content[place + draw.choice((1, 4, 64)) :]


def _overwritten(content: bytes, draw: Random) -> bytes:
    """Write zeros, as a lost block of a disk has them, or another piece of the same file."""
    place, size = _place(content, draw), draw.choice((4, 64, 512))
    start = _place(content, draw)
    piece = bytes(size) if draw.random() < 0.5 else content[start : start + size]
    return content[:place] + piece + content[place + len(piece) :]


def _place(content: bytes, draw: Random) -> int:
    """Choose a place, as often among the first 400 bytes, where headers are, as anywhere."""
    return draw.randrange(max(1, min(len(content), draw.choice((400, len(content) or 1)))))


_DAMAGES: list[Callable[[bytes, Random], bytes]] = [
    _flipped, _cut_short, _with_noise, _without_a_piece, _overwritten, damaged_number,
]  # fmt: skip
