"""Which slices speak for a class, and in which ways it is segmented (section 4.1, Tables 5 and 6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from napari_revsam2.evaluation.datasets.dataset import Dataset, Subject
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError
from napari_revsam2.volume_files import read_labels

ONE_SHOT = "one-shot"
"""The mode of Table 4."""
SUPPORT_VOLUMES = 3
"""Volumes that the supports of a class are drawn from."""


@dataclass(frozen=True)
class SupportChoice:
    """One painted slice: slice ``index`` of a subject."""

    subject: Subject
    index: int


@dataclass(frozen=True)
class SupportGroup:
    """The painted slices of a class; fewer supports are its first ones.

    Attributes
    ----------
    number : int
        Which of the groups, from 0.
    label : int
        The class.
    choices : tuple of SupportChoice
        Slices in the order drawn, one volume after the other in turn.
    """

    number: int
    label: int
    choices: tuple[SupportChoice, ...]


@dataclass(frozen=True, order=True)
class Setting:
    """One way to segment a class: ``mode`` (as in `results.ResultRow`), N and k; 0 where there is none."""

    mode: str
    n_support: int
    top_k: int = 0


@dataclass(frozen=True)
class Protocol:
    """What is varied.

    Attributes
    ----------
    n_support : tuple of int
        N (Tables 5 and 6).
    top_k : tuple of int
        k of mode ``revsam2`` (Table 6); `usual` of them is also that of mode ``random`` and of ``one-shot``.
    modes : tuple of Mode
        Rows of Table 5.
    groups : int
        Support sets a class, whose results are averaged.
    one_shot : bool
        Whether to run the protocol of Table 4 too.
    seed : int
        Of the draws.
    """

    n_support: tuple[int, ...] = (10, 5, 1)
    top_k: tuple[int, ...] = (7, 9, 3, 1)
    modes: tuple[Mode, ...] = tuple(Mode)
    groups: int = 3
    one_shot: bool = False
    seed: int = 0

    def settings(self, available: int) -> Iterator[Setting]:
        """All settings for a class of which ``available`` slices are painted; N beyond them are left out."""
        for n_support in self.n_support:
            if n_support > available:
                continue
            for mode in self.modes:
                if mode is Mode.REVSAM2:
                    yield from (Setting(mode.value, n_support, top_k) for top_k in self.top_k)
                else:
                    yield Setting(mode.value, n_support, self.usual.top_k if mode is Mode.RANDOM else 0)
        if self.one_shot:
            yield Setting(ONE_SHOT, 1, self.usual.top_k)

    @property
    def usual(self) -> Setting:
        """The method at the paper's N and k, or the largest there are: what tables compare, and what masks are of."""
        paper = RevSAM2Config()
        n_support, top_k = usual_value(self.n_support, paper.n_support), usual_value(self.top_k, paper.top_k)
        return Setting(Mode.REVSAM2.value, n_support, top_k)


def usual_value(values: Collection[int], paper: int) -> int:
    """Choose the paper's value, or, where it isn't among ``values``, the largest."""
    return paper if paper in values else max(values)


def draw_group(dataset: Dataset, label: int, number: int, seed: int, n_support: int) -> SupportGroup:
    """Draw the supports of a class: ``n_support`` separated slices from three training volumes (section 4.1).

    The class's extent in a volume is cut into as many parts as the volume gives slices, and one is drawn from each.
    Volumes with less of the class give what they have, and the others more.

    Raises
    ------
    ProblemError
        When no training volume shows the class.
    VolumeFileError
        When labels can't be read.
    """
    rng = np.random.default_rng([seed, label, number])
    shown: dict[Subject, tuple[int, ...]] = {}
    for position in rng.permutation(len(dataset.training)):
        subject = dataset.training[position]
        if slices := shown_slices(subject, dataset.axis).get(label):
            shown[subject] = slices
        if len(shown) == SUPPORT_VOLUMES:
            break
    if not shown:
        raise ProblemError(
            f"No training volume of {dataset.name} shows class {label} ({dataset.classes[label]}): add one, or give "
            "the other classes with --label."
        )
    share = _share([len(slices) for slices in shown.values()], n_support)
    drawn = [
        [SupportChoice(subject, index) for index in _draw_separated(rng, slices, share)]
        for subject, slices in shown.items()
    ]
    in_turn = [part[i] for i in range(max(map(len, drawn))) for part in drawn if i < len(part)]
    return SupportGroup(number, label, tuple(in_turn[:n_support]))


def queries(dataset: Dataset, group: SupportGroup) -> tuple[Subject, ...]:
    """Find the volumes to segment: those of the test split, or all that give no support."""
    if dataset.test:
        return dataset.test
    supporting = {choice.subject for choice in group.choices}
    return tuple(subject for subject in dataset.training if subject not in supporting)


@lru_cache(maxsize=4096)
def shown_slices(subject: Subject, axis: Axis) -> Mapping[int, tuple[int, ...]]:
    """For each class of a volume, the slices that show it.

    Raises
    ------
    VolumeFileError
        When the labels can't be read.
    """
    stack = read_labels(subject.labels).slices(axis)
    present = [np.unique(labels) for labels in stack]
    classes = {int(label) for ids in present for label in ids} - {0}
    return {label: tuple(i for i, ids in enumerate(present) if label in ids) for label in sorted(classes)}


def chunks(slices: Sequence[int], count: int) -> list[list[int]]:
    """Cut into ``count`` parts as equal as can be; empty ones are left out."""
    if not count:
        return []
    return [part.tolist() for part in np.array_split(np.asarray(slices, dtype=int), count) if len(part)]


def _share(available: Sequence[int], wanted: int) -> int:
    """Slices that each volume is to give, so that there are as many as wanted where some have fewer."""
    enough = (share for share in range(1, max(available)) if sum(min(share, n) for n in available) >= wanted)
    return next(enough, max(available))


def _draw_separated(rng: np.random.Generator, slices: Sequence[int], count: int) -> list[int]:
    """One slice from each of ``count`` parts, in random order."""
    drawn = [int(rng.choice(part)) for part in chunks(slices, count)]
    return [drawn[i] for i in rng.permutation(len(drawn))]
