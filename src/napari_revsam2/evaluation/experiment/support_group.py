"""The annotated slices that a class is segmented from (section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_revsam2.evaluation.datasets.dataset import Dataset, Subject
from napari_revsam2.evaluation.datasets.labelled_stack import labelled_slices
from napari_revsam2.vocabulary.errors import ProblemError

SUPPORT_VOLUMES = 3
"""Volumes that the supports of a class are drawn from."""


@dataclass(frozen=True)
class SupportChoice:
    """One annotated slice: slice ``index`` of a subject."""

    subject: Subject
    index: int


@dataclass(frozen=True)
class SupportGroup:
    """The annotated slices of a class; fewer supports are its first ones.

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
        if slices := labelled_slices(subject, dataset.axis).get(label):
            shown[subject] = slices
        if len(shown) == SUPPORT_VOLUMES:
            break
    if not shown:
        raise ProblemError(
            f"No training volume of {dataset.name} shows class {label} ({dataset.classes[label]}): add one, or choose "
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
