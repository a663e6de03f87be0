"""Names that people type: what they stand for, or a guess at what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from .errors import ProblemError

EnumT = TypeVar("EnumT", bound=Enum)

_LIKENESS = 0.75
"""Of two names, by `difflib`, from which on one may be meant for the other."""


def member(kind: type[EnumT], name: EnumT | str, what: str) -> EnumT:
    """Find the member of an Enum by its value; a member is found as well.

    Raises
    ------
    ProblemError
        When there is none; ``what`` says in the message what was asked for.
    """
    try:
        return kind(name)
    except ValueError:
        values = [each.value for each in kind]
        raise ProblemError(f"{what} {name!r} isn't known: {meant(str(name), values)}") from None


def meant(name: str, known: Iterable[str], otherwise: str = "choose one of") -> str:
    """End a sentence about an unknown name: with the nearest of the known ones, or with all of them."""
    known = tuple(known)
    nearest = get_close_matches(name, known, cutoff=_LIKENESS)
    return f"did you mean {' or '.join(nearest)}?" if nearest else f"{otherwise} {', '.join(known)}."
