"""What words of the command line stand for: names, paths, numbers and choices, each checked as it is read."""

from __future__ import annotations

import argparse
import math
import os
import reprlib
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TypeVar

from napari_revsam2.settings.checked_settings import LARGEST_NUMBER
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.vocabulary.names import member

EnumT = TypeVar("EnumT", bound=Enum)


def as_name(text: str) -> str:
    """Read text that names something: not empty, and such that the system could name a file so.

    Raises
    ------
    ArgumentTypeError
        When it is neither.
    """
    if not text:
        raise argparse.ArgumentTypeError("a name is needed, not an empty text")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        is_possible = False
    else:
        is_possible = "\0" not in text
    if not is_possible:
        raise argparse.ArgumentTypeError(f"{reprlib.repr(text)} has a character that no name can have")
    return text


def as_path(text: str) -> Path:
    """Read a path; raises as `as_name` does."""
    return Path(as_name(text))


def as_whole_number(text: str) -> int:
    """Read a whole number; lower bounds are for those who know what it counts.

    Raises
    ------
    ArgumentTypeError
        When it is none, or larger than any that could be meant.
    """
    with suppress(ValueError):  # also of more digits than Python converts
        if abs(number := int(text)) <= LARGEST_NUMBER:
            return number
    raise argparse.ArgumentTypeError(f"{reprlib.repr(text)} isn't a whole number up to {LARGEST_NUMBER}")


def as_whole_numbers(text: str) -> tuple[int, ...]:
    """Read slice numbers such as ``3,10,22``.

    Raises
    ------
    ArgumentTypeError
        When one of them is no whole number, or too large.
    """
    try:
        return tuple(as_whole_number(number) for number in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{reprlib.repr(text)} isn't a list of slice numbers such as 3,10,22"
        ) from None


def as_count(largest: int = LARGEST_NUMBER) -> Callable[[str], int]:
    """Make a reader of whole numbers from 1 to ``largest``."""

    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > len(str(largest)) or not 1 <= int(text) <= largest:
            raise argparse.ArgumentTypeError(f"{reprlib.repr(text)} isn't a whole number from 1 to {largest}")
        return int(text)

    return read


def as_millimetres(text: str) -> float:
    """Read a finite length from 0.

    Raises
    ------
    ArgumentTypeError
        When it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{reprlib.repr(text)} isn't a number from 0")
    return number


def as_one_of(kind: type[EnumT]) -> Callable[[str], EnumT]:
    """Make a reader of an Enum's values."""

    def read(text: str) -> EnumT:
        try:
            return member(kind, text, kind.__name__)
        except ProblemError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
