"""What form, command line and provenance need to know of one setting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic.fields import FieldInfo

from .checked_settings import LARGEST_NUMBER, CheckedSettings


@dataclass(frozen=True)
class Option:
    """One setting, as it is offered to the user.

    Attributes
    ----------
    name : str
        The field of the settings.
    kind : type
        int, str or an Enum.
    default : int, str or Enum
        Its value unless the user chooses another.
    label, help : str
        A few words, and a sentence.
    minimum, maximum : int
        Bounds of a number; of no meaning for others.
    choices : tuple of str
        Values of an Enum; empty for others.
    """

    name: str
    kind: type[Any]
    default: Any
    label: str
    help: str
    minimum: int
    maximum: int
    choices: tuple[str, ...]


def options_of(settings: type[CheckedSettings]) -> tuple[Option, ...]:
    """List the options of settings, in the order in which they are shown."""
    return tuple(_option(name, field) for name, field in settings.__pydantic_fields__.items())  # type: ignore[attr-defined]


def _option(name: str, field: FieldInfo) -> Option:
    kind: Any = field.annotation
    return Option(
        name=name,
        kind=kind,
        default=field.default,
        label=field.title or name,
        help=field.description or "",
        minimum=max((rule.ge for rule in field.metadata if hasattr(rule, "ge")), default=0),
        maximum=min((rule.le for rule in field.metadata if hasattr(rule, "le")), default=LARGEST_NUMBER),
        choices=tuple(choice.value for choice in kind) if issubclass(kind, Enum) else (),
    )
