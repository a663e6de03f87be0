"""Batches by number: each is the same whenever and wherever it is drawn, so a run resumes by its step alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .curriculum import UNCHANGED, Lesson
from .episodes import N_QUERIES, N_SWEEP, Batch, Family, Recipe, blob_family, random_batch, random_family
from .warping import warped_batch

FIRST_FAMILIES = 12
"""Families from the first batch on."""
POOL = 60
"""Families from which episodes are drawn at a time."""
USES = 20
"""Episodes after which a new family takes the oldest one's place."""


class EpisodeStream:
    """Batches by number.

    A map-style data set: worker processes of PyTorch's loader may draw it. Batch ``i`` is that of process
    ``i % processes`` at step ``i // processes``; at one step all processes have batches of one shape, so that they keep
    pace with each other.

    Parameters
    ----------
    seed : int
        Streams with one seed are the same.
    size : int
        Side of the images.
    lessons : callable
        The lesson of each step.
    large_size : int
        Side of the images of large batches; 0 for none.
    slices : int
        About how many slices a batch has.
    processes, workers : int
        Training processes, and those that draw for each of them. Every one has families of its own.
    """

    def __init__(
        self,
        seed: int,
        size: int,
        lessons: Callable[[int], Lesson],
        large_size: int = 0,
        slices: int = 24,
        processes: int = 1,
        workers: int = 1,
    ) -> None:
        self._seed, self._size, self._large_size, self._lessons = seed, size, large_size, lessons
        self._slices, self._processes, self._stripes = slices, processes, processes * workers
        self._batches_per_family = max(1, round(USES * 5 / slices))
        self._families: dict[tuple[int, int], Family] = {}

    def __getitem__(self, index: int) -> Batch:
        """Draw batch ``index``."""
        recipe = self.recipe(index // self._processes)
        stripe, number = index % self._stripes, index // self._stripes
        newest = FIRST_FAMILIES + number // self._batches_per_family
        oldest = max(0, newest - POOL)
        self._families = {key: family for key, family in self._families.items() if key[1] >= oldest}
        rng = np.random.default_rng([self._seed, 1, index])
        batch = random_batch(rng, lambda rng: self._family(stripe, int(rng.integers(oldest, newest))), recipe)
        return warped_batch(batch, rng) if recipe.warped else batch

    def recipe(self, step: int) -> Recipe:
        """What the batches of a step have in common."""
        rng, now = np.random.default_rng([self._seed, 0, step]), self._lessons(step)
        large, warped, follows, changed, sweep, own_masks = rng.random(6)
        shares = now.shares if changed < now.shares.changed else UNCHANGED
        sweeps = sweep < shares.long_sweeps
        n_supports = int(rng.choice([1, 2, 4, 6, 10], p=[0.1, 0.15, 0.2, 0.2, 0.35]))  # most often the paper's ten
        slices = n_supports + (N_SWEEP if sweeps else N_QUERIES)
        return Recipe(
            n_episodes=max(1 if sweeps else 2, round(self._slices / slices)),
            n_supports=n_supports,
            size=self._large_size if self._large_size and large < now.shares.large else self._size,
            sweep=sweeps,
            warped=warped < now.warped,
            follows=follows < now.follows,
            own_masks=own_masks < shares.own_masks,
            shares=shares,
        )

    def _family(self, stripe: int, number: int) -> Family:
        """Family ``number`` of those that one drawing process has, by the lesson of when it joins."""
        key = stripe, number
        if key not in self._families:
            rng = np.random.default_rng([self._seed, 2, *key])
            joins = max(0, number - FIRST_FAMILIES) * self._batches_per_family * self._stripes // self._processes
            now, share = self._lessons(joins), rng.random()
            blobs = now.easy <= share < now.easy + now.blobs
            self._families[key] = blob_family(rng) if blobs else random_family(rng, easy=share < now.easy)
        return self._families[key]
