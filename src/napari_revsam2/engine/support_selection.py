"""Which painted slices become the N supports of a class."""

from __future__ import annotations

from napari_revsam2.vocabulary.errors import ProblemError

from .problem import SupportSet, SupportSlice


def select_supports(supports: SupportSet, label: int, n_support: int) -> tuple[SupportSlice, ...]:
    """Choose N slices painted with a class, evenly spread over all support volumes and within each.

    A class painted on fewer than N slices uses them all. The order given is kept, as it matters a little to SAM 2.1.

    Raises
    ------
    ProblemError
        When the class isn't painted on any slice.
    """
    painted = supports.painted_with(label)
    if not painted:
        raise ProblemError(f"Class {label} isn't on any of the support slices; these classes are: {supports.labels}.")
    by_volume: dict[int, list[SupportSlice]] = {}
    for support in painted:
        by_volume.setdefault(support.volume, []).append(support)
    shares = _fair_shares([len(slices) for slices in by_volume.values()], n_support)
    chosen = []
    for slices, share in zip(by_volume.values(), shares, strict=True):
        chosen += [slices[int((i + 0.5) * len(slices) / share)] for i in range(share)]
    return tuple(chosen)


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
