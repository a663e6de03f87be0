"""What an evaluation measures, row by row: of a volume, and of a slice."""

from __future__ import annotations

from dataclasses import dataclass

KEY = ("dataset", "support_dataset", "label", "group", "volume", "mode", "n_support", "top_k")
"""Fields of a `ResultRow` that tell it from all others."""


Case = tuple[str, str, int, int, str]
"""What one job segments: datasets of query and supports, class, group, and volume."""


@dataclass(frozen=True)
class ResultRow:
    """One query volume segmented for one class in one way; a row of ``results.csv``.

    Attributes
    ----------
    dataset, support_dataset : str
        Where query and supports are from; they differ in Table 3.
    label, class_name : int, str
        The class.
    group : int
        Number of the support set, from 0.
    volume : str
        The query's name.
    mode : str
        One of `settings.config.Mode`, ``one-shot``, a prompt (``points-1``, ``points-3``, ``box``, ``mask``), or the
        name of another system.
    n_support, top_k : int
        N and k; 0 where there is none.
    dsc, nsd : float
        0 to 1, over the volume; nan where neither truth nor result shows the class.
    chosen_dice, nonempty_dice : float
        Mean DSC of ``p_i`` over the conditional and over all non-empty slices; nan where the mode has none.
    rank_correlation : float
        Spearman's, of ``pi_i`` with the DSC of ``p_i`` over the non-empty slices; nan where not scored.
    seconds : float
        Wall time. Of modes that share forward and reverse propagation, ``forward`` tells the time of the former, the
        first k of ``revsam2`` that of all, and the rest what they added.
    """

    dataset: str
    support_dataset: str
    label: int
    class_name: str
    group: int
    volume: str
    mode: str
    n_support: int
    top_k: int
    dsc: float
    nsd: float
    chosen_dice: float
    nonempty_dice: float
    rank_correlation: float
    seconds: float

    @property
    def case(self) -> Case:
        """What was segmented, whatever the setting."""
        return self.dataset, self.support_dataset, self.label, self.group, self.volume

    @property
    def key(self) -> tuple[str | int, ...]:
        """What makes it this row and no other: its values of `KEY`."""
        return tuple(getattr(self, name) for name in KEY)


@dataclass(frozen=True)
class SliceRow:
    """One query slice after forward and reverse propagation; a row of ``slices.csv``, for Figure 4.

    Attributes
    ----------
    reverse_score : float
        ``pi_i``.
    dice : float
        DSC of ``p_i``; nan where neither it nor the truth shows the class.
    nonempty : int
        1 where ``p_i`` shows anything.

    The others are as in `ResultRow`; ``slice`` counts from 0.
    """

    dataset: str
    support_dataset: str
    label: int
    group: int
    volume: str
    n_support: int
    slice: int
    reverse_score: float
    dice: float
    nonempty: int

    @property
    def case(self) -> Case:
        """What was segmented, whatever the setting."""
        return self.dataset, self.support_dataset, self.label, self.group, self.volume
