"""Which classes are segmented, and which painted slices become the N supports of each."""

from __future__ import annotations

from collections.abc import Iterable

from napari_revsam2.vocabulary.errors import ProblemError

from .problem import SupportSet, SupportSlice


def select_supports(supports: SupportSet, label: int, n_support: int) -> tuple[SupportSlice, ...]:
    """Choose N slices painted with a class, evenly spread over all support volumes and within each.

    A class painted on fewer than N slices uses them all. The order given is kept, as it matters a little to SAM 2.1.

    Raises
    ------
    ProblemError
        When the class isn't painted on any slice, or is the background.
    """
    if label not in supports.labels:
        what = "is the background" if label == 0 else "isn't painted on any support slice"
        raise ProblemError(f"Class {label} {what}: choose from the painted classes, {_listed(supports.labels)}.")
    by_volume: dict[int, list[SupportSlice]] = {}
    for support in supports.painted_with(label):
        by_volume.setdefault(support.volume, []).append(support)
    # how many of the N each volume contributes
    shares = _fair_shares([len(slices) for slices in by_volume.values()], n_support)
    chosen = []
    for slices, share in zip(by_volume.values(), shares, strict=True):
        # the middles of `share` equal parts of the volume's slices
        chosen += [slices[int((i + 0.5) * len(slices) / share)] for i in range(share)]
    return tuple(chosen)


def choose_labels(supports: SupportSet, labels: Iterable[int] | None) -> tuple[int, ...]:
    """Choose the classes to segment: those asked for, each once, or by default all that are painted.

    Raises
    ------
    ProblemError
        When none is asked for.
    """
    chosen = supports.labels if labels is None else tuple(dict.fromkeys(labels))
    if not chosen:
        raise ProblemError(f"No class is asked for: choose from the painted classes, {_listed(supports.labels)}.")
    return chosen


def _listed(labels: Iterable[int]) -> str:
    return ", ".join(map(str, labels))


def _fair_shares(available: list[int], wanted: int) -> list[int]:
    """Deal ``wanted`` slices out to the volumes in turn, none getting more than it has."""
    shares = [0] * len(available)
    left = min(wanted, sum(available))
    while left:
        for i, count in enumerate(available):
            if left and shares[i] < count:
                shares[i] += 1
                left -= 1
    return shares
