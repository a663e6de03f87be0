"""What is taught when, and the table of what makes episodes hard.

Features come first, then reading the memory, then other patients and self propagation; from `FULL_FROM` on, the
ingredients of `Shares` join in.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

FEATURES_UNTIL = 0.06
"""Progress at which the memory joins in."""
FULL_FROM = 0.6
"""Progress from which on batches have the ingredients of `Shares`."""


@dataclass(frozen=True)
class Shares:
    """How often each ingredient is drawn, 0 to 1; 0 switches it off.

    Patients of one episode who differ in appearance leave shape, place and texture to go by; the defaults change half
    of the batches, as a network forgets large organs when all of them change at once.
    """

    changed: float = 0.5
    """Of all batches: those that have any of what follows, `large` apart."""
    large: float = 0.5
    """Of all batches: those of the larger image size, where there is one."""
    long_sweeps: float = 0.3
    """Of changed batches: many query slices in a row, from within the target to far beyond its end."""
    own_masks: float = 0.6
    """Of changed batches: conditional slices keep the network's own masks, mistakes included."""
    mirrored_pairs: float = 0.2
    """Of changed episodes: one of a mirrored pair is asked for, and the other one apart from it."""
    thin: float = 0.2
    """Of changed episodes: a vessel, a sheet or another thin structure is asked for."""
    monotone_remap: float = 0.35
    """Of patients of changed episodes: grey values go through a rising curve."""
    folded_remap: float = 0.2
    """Of patients: the tissues' grey values go through a curve that rises, then falls."""
    organ_reversed: float = 0.2
    """Of patients: the target's contrast to its surroundings is reversed."""
    inverted: float = 0.15
    """Of patients: what is bright is dark and the reverse, except air."""
    bright_fluid: float = 0.15
    """Of patients: a tissue far brighter than all others takes the top of the window."""
    bias_field: float = 0.3
    """Of patients: brightness varies strongly across the image."""
    scanner_noise: float = 0.4
    """Of patients: another scanner's noise and resolution."""

    def without(self, *names: str) -> Shares:
        """Switch ingredients off.

        Raises
        ------
        ValueError
            When a name isn't an ingredient.
        """
        known = [field.name for field in fields(self)]
        if unknown := set(names) - set(known):
            raise ValueError(f"Unknown ingredients {', '.join(sorted(unknown))}: choose from {', '.join(known)}.")
        return replace(self, **dict.fromkeys(names, 0.0))


UNCHANGED = Shares().without(*(field.name for field in fields(Shares)))


@dataclass(frozen=True)
class Lesson:
    """One step's kind of episodes."""

    features_only: bool = False
    """Train the image encoder by `matching.matching_loss` alone; the memory is aligned when this ends."""
    easy: float = 0.0
    """Share of new families that are easy."""
    blobs: float = 0.0
    """Share of new families that are blobs of random grey values."""
    warped: float = 0.0
    """Share of batches whose queries are warped copies of the supports."""
    follows: float = 1.0
    """Share of batches that also train the query self propagation."""
    shares: Shares = UNCHANGED
    """What makes episodes hard."""


def lesson(progress: float, shares: Shares = UNCHANGED) -> Lesson:
    """The lesson at ``progress``, 0 to 1, through the training."""
    return Lesson(
        features_only=progress < FEATURES_UNTIL,
        easy=float(np.interp(progress, [0.06, 0.2, 0.6], [0.7, 0.7, 0.15])),
        blobs=float(np.interp(progress, [0.2, 0.6], [0.0, 0.3])),
        warped=float(np.interp(progress, [0.13, 0.35], [1.0, 0.1])),
        follows=float(np.interp(progress, [0.2, 0.3, 0.7, 0.75], [0.0, 0.5, 0.5, 0.8])),
        shares=shares if progress >= FULL_FROM else UNCHANGED,
    )
