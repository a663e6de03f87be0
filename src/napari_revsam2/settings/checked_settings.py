"""Settings that check themselves: pydantic holds the rules, each refusal is one sentence of ours."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs, ErrorDetails

from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.vocabulary.names import meant, member

LARGEST_NUMBER = 2**32 - 1
"""The largest whole number that a setting can be: seeds are 32 bits, and no other one comes near."""

WholeNumber = Annotated[
    int,
    Field(strict=True),  # neither True nor 2.0 nor "2"
    BeforeValidator(lambda value: int(value) if isinstance(value, np.integer) else value),
]
"""An int, or one of NumPy's."""

_SENTENCES = {
    "int_type": "{label} must be a whole number, not {value!r}.",
    "string_type": "{label} must be text, not {value!r}.",
    "string_unicode": "{label} must be text, not {value!r}.",
    "greater_than_equal": "{label} must be at least {ge}, not {value}.",
    "less_than_equal": "{label} must be at most {le}, not {value}.",
    "multiple_of": "{label} must be a multiple of {multiple_of}, not {value}.",
}
"""Sentences by pydantic's types of error."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))  # a misspelled name is an error
class CheckedSettings:
    """What every part of the settings shares: a refusal is a `ProblemError`, never pydantic's own words."""

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_in_one_sentence(cls, values: Any, check: Callable[[Any], Any]) -> Any:
        if isinstance(values, ArgsKwargs) and values.args:
            raise TypeError(f"{cls.__name__} takes its settings by name, as in {cls.__name__}(seed=1).")
        try:
            return check(values)
        except ValidationError as error:
            raise ProblemError(_sentence(cls, error.errors()[0])) from None


def _sentence(settings: type[Any], error: ErrorDetails) -> str:
    """Say in one sentence what one of pydantic's errors means, by the label that the user sees."""
    fields, name, value = settings.__pydantic_fields__, str(error["loc"][0]), error["input"]
    if name not in fields:
        return f"Setting {name!r} isn't known: {meant(name, fields)}"
    label, kind = fields[name].title, fields[name].annotation
    if issubclass(kind, Enum):
        member(kind, value, label)
    return _SENTENCES[error["type"]].format(label=label, value=value, **error.get("ctx", {}))
