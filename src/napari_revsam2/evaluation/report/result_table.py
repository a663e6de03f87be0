"""A table of results as text, and what all tables share: which rows belong together, and how a number is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from napari_revsam2.evaluation.experiment.protocol import usual_value
from napari_revsam2.evaluation.experiment.results import ResultRow
from napari_revsam2.evaluation.experiment.statistics import FEWEST_VOLUMES, Estimate, Measurement, estimate, measure
from napari_revsam2.evaluation.systems.comparators import PROMPTS
from napari_revsam2.settings.config import Mode, RevSAM2Config

NOTHING = "–"
"""Where nothing is known."""
MEAN = "mean over classes"
_NAMES = {
    "revsam2": "RevSAM2",
    "forward": "forward propagation",
    "fifo": "with query information (FIFO)",
    "random": "random selection",
    "one-shot": "RevSAM2, one shot",
    "points-1": "1 positive and 1 negative point",
    "points-3": "3 positive and 3 negative points",
    "box": "bounding box",
    "mask": "mask on the first slice",
    "nnunet": "nnU-Net",
    "universeg": "UniverSeg",
}
_FIRST = (*PROMPTS, "nnunet", "universeg")
"""Prompts and systems in the order of Table 1."""
READING = (
    "In percent, mean over volumes (groups averaged first; n is given where some have no row) and 95 % bootstrap "
    f"interval over volumes, from {FEWEST_VOLUMES} volumes on."
)


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
        """Write the title as a heading, the table, and the note below."""
        lines = [f"## {self.title}", ""]
        if self.header:
            lines += [_line(self.header), _line(["---"] * len(self.header)), *map(_line, self.rows), ""]
        return "\n".join([*lines, self.note, ""])


def left_out(title: str, reason: str) -> Table:
    """Stand in for a table that no rows belong to."""
    return Table(title, (), (), f"Left out: {reason}.")


@dataclass(frozen=True)
class Section:
    """Rows whose queries are of one dataset and whose supports are of one dataset."""

    dataset: str
    support_dataset: str
    rows: tuple[ResultRow, ...]

    @property
    def title(self) -> str:
        """What it is called in titles."""
        supports = "" if self.dataset == self.support_dataset else f", supports from {self.support_dataset}"
        return self.dataset + supports

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of classes in the order of their ids."""
        return tuple(dict.fromkeys(row.class_name for row in sorted(self.rows, key=lambda row: row.label)))

    @property
    def blocks(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The mean over classes, then each class: what it is called, and the classes in it."""
        single = tuple((name, (name,)) for name in self.classes)
        return single if len(single) == 1 else ((MEAN, self.classes), *single)

    @property
    def volumes(self) -> int:
        """Query volumes."""
        return len({row.volume for row in self.rows})

    @property
    def size(self) -> str:
        """What a note says first."""
        return f"Query volumes: {self.volumes}."

    def of(self, mode: str) -> tuple[ResultRow, ...]:
        """Rows of a mode."""
        return tuple(row for row in self.rows if row.mode == mode)

    def cell(
        self, rows: Iterable[ResultRow], value: Callable[[ResultRow], float] = lambda row: row.dsc, classes: int = 1
    ) -> str:
        """Mean over ``classes``, in percent, of what is a share."""
        return self.text(measure(rows, value), classes)

    def text(self, measurements: Iterable[Measurement], classes: int = 1, scale: float = 100) -> str:
        """Write mean and interval, and the numbers of volumes and of ``classes`` where some are missing."""
        return estimate_text(estimate(measurements), self.volumes, classes, scale)


def sections(rows: Sequence[ResultRow]) -> Iterator[Section]:
    """Part rows by datasets of queries and supports; those with supports of their own come first."""
    pairs = {(row.dataset, row.support_dataset) for row in rows}
    for pair in sorted(pairs, key=lambda pair: (pair[0] != pair[1], pair)):
        yield Section(*pair, tuple(row for row in rows if (row.dataset, row.support_dataset) == pair))


def at_usual_setting(rows: Sequence[ResultRow]) -> tuple[ResultRow, ...]:
    """Of rows of one mode, those with the paper's N and k; where there are none, with the largest."""
    if not rows:
        return ()
    usual = RevSAM2Config()
    n_support = usual_value({row.n_support for row in rows}, usual.n_support)
    return at_usual_k([row for row in rows if row.n_support == n_support])


def at_usual_k(rows: Sequence[ResultRow]) -> tuple[ResultRow, ...]:
    """Of rows of one mode, those with the paper's k; where there are none, with the largest."""
    if not rows:
        return ()
    top_k = usual_value({row.top_k for row in rows}, RevSAM2Config().top_k)
    return tuple(row for row in rows if row.top_k == top_k)


def of_classes(rows: Iterable[ResultRow], classes: Sequence[str]) -> list[ResultRow]:
    """Rows of some classes."""
    return [row for row in rows if row.class_name in classes]


def mode_name(mode: str, rows: Sequence[ResultRow] = ()) -> str:
    """Name a mode in words, with N and k of its rows where it has them: prompts take no supports."""
    first = rows[0] if rows and mode not in PROMPTS else None
    setting = [f"N = {first.n_support}"] if first and first.n_support else []
    setting += [f"k = {first.top_k}"] if first and first.top_k else []
    name = _NAMES.get(mode, _NAMES.get(system(mode), system(mode)) + mode.removeprefix(system(mode)))
    return ", ".join([name, *setting])


def system(mode: str) -> str:
    """Take the epochs off a mode such as ``nnunet-20``: what the paper's rows are matched with."""
    return re.sub(r"^(nnunet)-\d+$", r"\1", mode)


def mode_order(mode: str) -> tuple[int, str]:
    """Sort prompts first, then other systems, then RevSAM2, as Table 1 does."""
    name = system(mode)
    if name in _FIRST:
        return _FIRST.index(name), mode
    return len(_FIRST) + (name == Mode.REVSAM2.value), mode


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
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
