"""What the files that describe a dataset may hold; nothing of a file is believed before all of it fits."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from napari_revsam2.volume_files import LARGEST_LABEL

from .catalogue import DatasetError

_LARGEST_FILE = 2**26
"""Bytes; 64 MiB describe more than a million volumes."""
_PLAIN_TEXT = r"^[^\x00-\x1f\x7f]*$"

EntriesT = TypeVar("EntriesT", bound="Entries")


def _whole_number(value: Any) -> Any:
    """Read decimal digits, as tables and keys of JSON have numbers."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


Name = Annotated[str, Field(max_length=300, pattern=_PLAIN_TEXT)]
FileName = Annotated[str, Field(min_length=1, max_length=4096, pattern=_PLAIN_TEXT)]
LabelId = Annotated[int, Field(strict=True, ge=0, le=LARGEST_LABEL), BeforeValidator(_whole_number)]


class Entries(BaseModel):
    """Named values of a file; each field's description completes "must be", and what has no field is left aside."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True, extra="ignore")

    @classmethod
    def parse(cls: type[EntriesT], values: Mapping[str, Any], where: str) -> EntriesT:
        """Check values that come from ``where``: a file, or a line of one.

        Raises
        ------
        DatasetError
            When a value is missing or can't be; names the first that is wrong.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise DatasetError(_sentence(cls, error, where)) from None


def _sentence(model: type[Entries], error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    field, *inside = first["loc"]
    rule = f"{where}: {field} must be {model.model_fields[str(field)].description}"
    value = "missing" if first["type"] == "missing" else reprlib.repr(first["input"])
    place = [str(step) for step in inside if "[" not in str(step)]  # pydantic adds types, such as tuple[int]
    found = f", but {reprlib.repr('.'.join([str(field), *place]))} is {value}" if place else f", not {value}"
    return f"{rule}{found}: correct it."


def read_text(path: Path) -> str:
    """Read a text file of bounded size.

    Raises
    ------
    DatasetError
        When it can't be read, is too large, or isn't text in UTF-8.
    """
    if path.exists() and not path.is_file():
        raise DatasetError(f"{path} isn't a regular file: replace it with one.")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise DatasetError(f"{path} can't be read ({error.strerror or 'an error of the disk'}): free it.") from error
    if len(content) > _LARGEST_FILE:
        raise DatasetError(f"{path} is larger than {_LARGEST_FILE >> 20} MiB: use a file that describes a dataset.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} can't be read as text in UTF-8: save it as UTF-8.") from error
