"""Text in cells of a CSV file, which a spreadsheet is to show and not to run."""

from __future__ import annotations

import re

_CELL_START = r"(^|[,;\t])(\s*'*)"
"""Where a cell begins, also in a spreadsheet that separates cells otherwise than we do; with the apostrophes there."""
_FORMULA = r"(?=[=+\-@\uff0b\uff0d\uff1d\uff20])"
"""Signs that begin a formula, in their wide forms too."""


def escaped(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula; other text stays as it is.

    >>> escaped("=1+1"), escaped("a-b"), escaped("'=1")
    ("'=1+1", 'a-b', "''=1")
    """
    return re.sub(_CELL_START + _FORMULA, r"\1\2'", text)


def unescaped(text: str) -> str:
    """Return the text that `escaped` made this of."""
    return re.sub(_CELL_START + "'" + _FORMULA, r"\1\2", text)
