"""An experiment: what is segmented from what, in which ways; and the jobs that are left to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from napari_revsam2.evaluation.datasets.dataset import Dataset
from napari_revsam2.evaluation.systems.registry import PROMPTS
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.provenance import plain_settings
from napari_revsam2.vocabulary.errors import ProblemError

from .job import Job
from .protocol import Protocol, Setting
from .result_rows import Case
from .support_group import SupportGroup, draw_group, queries

PAPER_SUPPORTS = 10
"""Slices drawn for a group, of which fewer supports are the first ones."""


@dataclass(frozen=True)
class Experiment:
    """What to do.

    Attributes
    ----------
    pairs : tuple of (Dataset, Dataset)
        Query dataset and support dataset; the same one twice, but for domain adaptation (Table 3).
    protocol : Protocol
        N, k, modes and so on.
    config : RevSAM2Config
        Checkpoint, device and so on; the window is each dataset's.
    labels : tuple of int
        Classes; empty for all that both datasets name.
    compared : tuple of str
        Names of prompts and other systems.
    tolerance : float
        Millimetres, of the NSD.
    checkpoint_sha256 : str
        Hash of the weights that the checkpoint's name stands for.
    """

    pairs: tuple[tuple[Dataset, Dataset], ...]
    protocol: Protocol
    config: RevSAM2Config
    labels: tuple[int, ...] = ()
    compared: tuple[str, ...] = ()
    tolerance: float = 2.0
    checkpoint_sha256: str = ""

    def settings(self, cases: Collection[Case] | None = None) -> dict[str, Any]:
        """Say what the numbers depend on: results of different settings don't belong in one folder.

        The supports are among them: another list of training volumes, or other labels, would draw others.

        Parameters
        ----------
        cases : collection of Case, optional
            Leave out what only the others depend on.

        Raises
        ------
        ProblemError, VolumeFileError
            As for `jobs`.
        """
        config = plain_settings(self.config)
        for varied in ("n_support", "top_k", "mode", "seed", "window", "device"):
            del config[varied]
        groups = list(self._groups())
        if cases is not None:
            drawn_for = {case[:4] for case in cases}
            groups = [g for g in groups if (g[0].name, g[1].name, g[2], g[3].number) in drawn_for]
        datasets = {dataset.name: dataset for query, support, *_ in groups for dataset in (query, support)}
        windows = {f"{name}: window and axis": f"{d.window} {d.axis.value}" for name, d in datasets.items()}
        drawn = {"slices drawn": self.n_drawn, "seed": self.protocol.seed, "NSD tolerance, mm": self.tolerance}
        supports = {
            f"supports from {support_dataset.name}, class {group.label}, group {group.number}": (
                f"{support_dataset.classes[group.label]}: "
                + ", ".join(f"{choice.subject.name} {choice.index}" for choice in group.choices)
            )
            for _, support_dataset, _, group in groups
        }
        return {**config, "checkpoint's SHA-256": self.checkpoint_sha256, **drawn, **windows, **supports}

    @property
    def n_drawn(self) -> int:
        """Slices drawn for each group."""
        return max(PAPER_SUPPORTS, *self.protocol.n_support)

    def jobs(self, finished: Collection[tuple[Any, ...]] = ()) -> tuple[Job, ...]:
        """Plan what is left when the rows with the keys ``finished`` are there.

        Jobs of one volume follow each other, as a process keeps the embeddings of one volume alone.

        Raises
        ------
        ProblemError
            When a class isn't there or on fewer slices than any N, or no volume is left to segment.
        VolumeFileError
            When labels that supports are drawn from can't be read.
        """
        left = []
        for query_dataset, support_dataset, label, group in self._groups():
            for job in self._jobs_of(query_dataset, support_dataset, group, label):
                settings = tuple(setting for setting in job.settings if job.row_key(setting) not in finished)
                left += [replace(job, settings=settings)] if settings else []
        return tuple(sorted(left, key=lambda job: (job.dataset, job.query.name)))

    def _groups(self) -> Iterator[tuple[Dataset, Dataset, int, SupportGroup]]:
        """Datasets of query and supports, the class's id in the query's, and the supports."""
        for query_dataset, support_dataset in self.pairs:
            for label in self._labels(query_dataset, support_dataset):
                support_label = _labels_by_name(support_dataset)[query_dataset.classes[label]]
                for number in range(self.protocol.groups):
                    group = draw_group(support_dataset, support_label, number, self.protocol.seed, self.n_drawn)
                    yield query_dataset, support_dataset, label, group

    def _labels(self, query_dataset: Dataset, support_dataset: Dataset) -> tuple[int, ...]:
        shared = [i for i, name in query_dataset.classes.items() if name in _labels_by_name(support_dataset)]
        if not shared:
            raise ProblemError(
                f"{query_dataset.name} and {support_dataset.name} have no class of one name: name the same ones alike."
            )
        for label in self.labels:
            if label not in shared:
                raise ProblemError(
                    f"{query_dataset.name} has no class {label} whose name {support_dataset.name} has too; these are: "
                    f"{', '.join(map(str, shared))}."
                )
        return self.labels or tuple(shared)

    def _jobs_of(
        self, query_dataset: Dataset, support_dataset: Dataset, group: SupportGroup, label: int
    ) -> Iterator[Job]:
        subjects = queries(query_dataset, group)
        if not subjects:
            raise ProblemError(f"{query_dataset.name} has no volume left to segment, as all are supports: add some.")
        settings = (*self.protocol.settings(len(group.choices)), *self._compared(group))
        if not settings:
            raise ProblemError(
                f"{support_dataset.name} has {len(group.choices)} slices that can support class {group.label} "
                f"({support_dataset.classes[group.label]}): use a smaller --n-support, or other classes with --label."
            )
        for subject in subjects:
            yield Job(
                dataset=query_dataset.name,
                support_dataset=support_dataset.name,
                label=label,
                support_label=group.label,
                class_name=query_dataset.classes[label],
                group=group.number,
                supports=group.choices,
                query=subject,
                axis=query_dataset.axis,
                config=replace(self.config, window=query_dataset.window),
                support_window=support_dataset.window,
                settings=settings,
                kept=self.protocol.usual,
                tolerance=self.tolerance,
            )

    def _compared(self, group: SupportGroup) -> Iterator[Setting]:
        """Other systems, on all supports; prompts don't depend on the group."""
        for name in self.compared:
            if name not in PROMPTS:
                yield Setting(name, len(group.choices))
            elif group.number == 0:
                yield Setting(name, 0)


def _labels_by_name(dataset: Dataset) -> dict[str, int]:
    """Class ids by name: datasets number the same organs differently."""
    return {name: label for label, name in dataset.classes.items()}
