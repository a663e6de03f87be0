"""Results whose queries are of one dataset and whose supports are of one dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import pandas as pd

from napari_revsam2.evaluation.experiment.protocol import usual_value
from napari_revsam2.evaluation.experiment.result_rows import ResultRow, SliceRow
from napari_revsam2.settings.config import RevSAM2Config

from .statistics import FEWEST_VOLUMES, estimate
from .table import estimate_text

MEAN = "mean over classes"
READING = (
    "In percent, mean over volumes (groups averaged first; n is given where some have no row) and 95 % bootstrap "
    f"interval over volumes, from {FEWEST_VOLUMES} volumes on."
)


def to_frame(rows: Sequence[ResultRow] | Sequence[SliceRow], kind: type[ResultRow | SliceRow]) -> pd.DataFrame:
    """Put rows of a kind into a table with the columns of their fields; the index is a row's place."""
    return pd.DataFrame(list(rows), columns=[field.name for field in fields(kind)])


@dataclass(frozen=True, eq=False)
class Section:
    """Results (columns as in `ResultRow`) of one pair of datasets."""

    dataset: str
    support_dataset: str
    results: pd.DataFrame

    @property
    def title(self) -> str:
        """What it is called in titles."""
        supports = "" if self.dataset == self.support_dataset else f", supports from {self.support_dataset}"
        return self.dataset + supports

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of classes in the order of their ids."""
        return tuple(self.results.sort_values("label", kind="stable")["class_name"].unique())

    @property
    def blocks(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The mean over classes, then each class: what it is called, and the classes in it."""
        single = tuple((name, (name,)) for name in self.classes)
        return single if len(single) == 1 else ((MEAN, self.classes), *single)

    @property
    def volumes(self) -> int:
        """Number of query volumes."""
        return int(self.results["volume"].nunique())

    @property
    def size(self) -> str:
        """What a note says first."""
        return f"Query volumes: {self.volumes}."

    def of(self, mode: str) -> pd.DataFrame:
        """Select the results of a mode."""
        return self.results[self.results["mode"] == mode]

    def cell(
        self,
        results: pd.DataFrame,
        classes: Sequence[str],
        value: str = "dsc",
        scale: float = 100,
        signed: bool = False,
    ) -> str:
        """Write mean and interval of a column over some classes, and the numbers of volumes and classes if some lack.

        Parameters
        ----------
        results : DataFrame
            Some of this section's, or what was computed from them.
        classes : sequence of str
            Those to average over.
        value : str
            The column.
        scale, signed
            As for `estimate_text`.
        """
        of_classes = results[results["class_name"].isin(classes)]
        return estimate_text(estimate(of_classes, value), self.volumes, len(classes), scale, signed)


def sections(results: pd.DataFrame) -> Iterator[Section]:
    """Part results by datasets of queries and supports; those with supports of their own come first."""
    pairs = results.groupby(["dataset", "support_dataset"])
    for (dataset, supports), part in sorted(pairs, key=lambda item: (item[0][0] != item[0][1], item[0])):
        yield Section(dataset, supports, part)


def at_usual(results: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Of results of one mode, those with the paper's value in ``n_support`` or ``top_k``, else with the largest."""
    for column in columns:
        if not results.empty:
            usual = usual_value(set(results[column]), getattr(RevSAM2Config(), column))
            results = results[results[column] == usual]
    return results
