"""A table of text, and how a number is written in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

from .statistics import Estimate

NOTHING = "–"
"""Where nothing is known."""
_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would end a line, or steer a terminal."""
_MARKUP = re.compile(r"[\\`*<>&|~$]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])|:(?=//)|(?<=www)\.")
"""Signs that begin code, emphasis, HTML, a cell, a formula, a link or an address; brackets of intervals don't."""


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    title : str
        Number in the paper and what it is about.
    header : tuple of str
        Names of columns; empty when the table is left out.
    rows : tuple of tuple of str
        Each as long as the header.
    note : str
        How to read it, or why it is left out.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def __post_init__(self) -> None:
        """Check that it is a rectangle."""
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"rows of {self.title} don't fit its {len(self.header)} columns")

    def to_markdown(self) -> str:
        """Write the title as a heading, the table, and the note below; names in them stay plain text."""
        lines = [f"## {_plain(self.title)}", ""]
        if self.header:
            lines += [_line(self.header), _line(["---"] * len(self.header)), *map(_line, self.rows), ""]
        return "\n".join([*lines, _plain(self.note), ""])


def left_out(title: str, reason: str) -> Table:
    """Stand in for a table that no rows belong to."""
    return Table(title, (), (), f"Left out: {reason}.")


def estimate_text(
    result: Estimate, volumes: int = 0, classes: int = 1, scale: float = 100, signed: bool = False
) -> str:
    """Write ``56.12 [50.1, 61.9] (n = 4; 2 of 3 classes)``.

    In brackets only what is below ``volumes`` or ``classes``; no interval where none is known.
    """
    if isnan(result.mean):
        return NOTHING
    sign = "+" if signed else ""
    digits = 2 if scale == 100 else 3
    text = f"{scale * result.mean:{sign}.{digits}f}"
    if not isnan(result.low):
        low, high = (f"{scale * bound:{sign}.{digits - 1}f}" for bound in (result.low, result.high))
        text += f" [{low},\N{NO-BREAK SPACE}{high}]"
    missing = [f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{result.volumes}"] if result.volumes < volumes else []
    missing += [f"{result.classes} of {classes} classes"] if result.classes < classes else []
    return text + (f" ({'; '.join(missing)})" if missing else "")


def percent_text(value: float, signed: bool = False) -> str:
    """Write a figure of the paper, which is in percent already."""
    return NOTHING if isnan(value) else f"{value:{'+' if signed else ''}.2f}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _plain(text: str) -> str:
    """Write signs that Markdown or HTML would act on as character references, which no renderer acts on."""
    return _MARKUP.sub(lambda sign: f"&#{ord(sign[0])};", _BREAK.sub(" ", text))
