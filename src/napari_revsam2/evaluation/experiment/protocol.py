"""In which ways a class is segmented (Tables 5 and 6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from napari_revsam2.settings.config import Mode, RevSAM2Config

ONE_SHOT = "one-shot"
"""The mode of Table 4."""


@dataclass(frozen=True, order=True)
class Setting:
    """One way to segment a class: ``mode`` (as in `result_rows.ResultRow`), N and k; 0 where there is none."""

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
