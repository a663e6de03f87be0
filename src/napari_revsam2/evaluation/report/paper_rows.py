"""The paper's own figures, to stand beside ours (Tables 1 to 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from omegaconf import OmegaConf

_NAN = float("nan")


@dataclass(frozen=True)
class PaperRow:
    """What the paper reports for one method in one setting.

    Attributes
    ----------
    table : int
        1 to 6.
    dataset, support_dataset : str
        Where queries and supports are from; they differ in Table 3 alone.
    method : str
        As the paper names it.
    mode : str
        The same as a ``mode`` of `results.ResultRow`; empty where we have none.
    n_support, top_k : int
        N and k; 0 where there is none.
    classes : tuple of (str, float)
        Class and mean DSC in percent; empty where the table has means only.
    mean_dsc, mean_nsd : float
        mDSC and mNSD over the paper's classes, in percent, as printed; nan where not reported.
    """

    table: int
    dataset: str
    support_dataset: str
    method: str
    mode: str
    n_support: int
    top_k: int
    classes: tuple[tuple[str, float], ...]
    mean_dsc: float
    mean_nsd: float

    def class_dsc(self, name: str) -> float:
        """DSC of a class in percent, however its name is written; nan where the table hasn't got it."""
        return next((dsc for own, dsc in self.classes if same_class(own, name)), _NAN)


@cache
def paper_rows(table: int) -> tuple[PaperRow, ...]:
    """All rows of one of the paper's tables, in its order."""
    with as_file(files(__package__) / "paper_tables.yaml") as path:
        tables: Any = OmegaConf.to_container(OmegaConf.load(path))
    return tuple(_row({**part, **row}) for part in tables if part["table"] == table for row in part["rows"])


def same_dataset(first: str, second: str) -> bool:
    """Whether two names mean one dataset: case, blanks and signs don't count."""
    return _plain(first) == _plain(second)


def same_class(first: str, second: str) -> bool:
    """Whether two names mean one class: ``kidney_left`` is ``Left kidney``."""
    return sorted(_words(first)) == sorted(_words(second))


def _row(values: dict[str, Any]) -> PaperRow:
    return PaperRow(
        table=values["table"],
        dataset=values["dataset"],
        support_dataset=values.get("support_dataset", values["dataset"]),
        method=values["method"],
        mode=values.get("mode", ""),
        n_support=values["n_support"],
        top_k=values.get("top_k", 0),
        classes=tuple(zip(values["classes"], values["dsc"], strict=True)) if "dsc" in values else (),
        mean_dsc=values["mean"],
        mean_nsd=values.get("nsd", _NAN),
    )


def _plain(name: str) -> str:
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.casefold())
