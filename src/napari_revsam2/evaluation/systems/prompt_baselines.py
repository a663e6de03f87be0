"""SAM 2 prompted with the query's own truth (Table 1, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.engine.propagator import Logits, Mask
from napari_revsam2.sam2_backend.checkpoints.checkpoint import find_checkpoint
from napari_revsam2.sam2_backend.prompted_video import Box, Points, Prompt, PromptedVideo
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.intensity_window import Limits
from napari_revsam2.vocabulary.slice_stack import SliceStack


class PromptableSlice(Protocol):
    """One slice that takes prompts, each in the place of the one before."""

    def segment(self, prompt: Prompt) -> Logits:
        """Segment from a prompt; (H, W) logits."""


class PromptableVideo(Protocol):
    """What `PromptedVideo` does, which see."""

    def propagate(self, slices: SliceStack, limits: Limits, prompts: Mapping[int, Prompt]) -> Logits:
        """Segment all slices (M, H, W) from prompts on some of them."""

    def open_slice(self, image: NDArray[Any], limits: Limits) -> PromptableSlice:
        """Prepare one slice (H, W)."""


@dataclass(frozen=True)
class PointPrompts:
    """Points on each slice that shows the class, each slice by itself.

    The positive points are pixels of the truth drawn at random. The negative ones are drawn from the false positives of
    the mask that the positive points gave; where it has none there are none, and where a slice has fewer pixels than
    points all are taken. A slice without the class gets no prompt and stays empty: the truth says so to this baseline.

    Attributes
    ----------
    n_points : int
        Positive, and negative, points of a slice.
    load : callable
        Gives the predictor; called when the first slice is segmented.
    checkpoint : str
        What ``load`` loads.
    seed : int
        Seed of the points; a slice's do not depend on the other slices.
    """

    n_points: int
    load: Callable[[], PromptableVideo]
    checkpoint: str
    seed: int = 0

    @property
    def name(self) -> str:
        """``points-1`` or ``points-3``."""
        return f"points-{self.n_points}"

    def missing(self) -> str:
        """Say why it can't run here; empty where it can."""
        return _untaught(self.name, self.checkpoint)

    def segment(
        self,
        supports: tuple[SupportSlice, ...],  # noqa: ARG002
        label: int,
        query: QueryVolume,
        spacing: tuple[float, float, float],  # noqa: ARG002
        truth: NDArray[Any],
    ) -> Mask:
        """Segment each slice that shows the class from points; as `System.segment`."""
        result = np.zeros(query.shape, bool)
        for index in np.flatnonzero(truth.any(axis=(1, 2))).tolist():
            random = np.random.default_rng((self.seed, label, index))
            opened = self.load().open_slice(np.asarray(query.slices[index]), query.limits)
            result[index] = self._segment_slice(opened, np.asarray(truth[index], bool), random)
        return result

    def _segment_slice(self, opened: PromptableSlice, truth: Mask, random: np.random.Generator) -> Mask:
        positive = _draw(truth, self.n_points, random)
        mask = opened.segment(_points(positive, positive[:0])) > 0
        negative = _draw(mask & ~truth, self.n_points, random)
        if len(negative):
            mask = opened.segment(_points(positive, negative)) > 0
        return mask


@dataclass(frozen=True)
class FirstSlicePrompt:
    """The truth of the first slice that shows the class, as a box or a mask, propagated through the rest of the volume.

    The first slice is the one with the lowest index. Slices before it stay empty: a video begins with its prompt. A
    mask stays as given on its own slice, a box is answered by the network there too. Where the first slice shows but
    the tip of an organ, a few pixels, little may come of it: so is the paper's protocol, and nothing is done about it.

    Attributes
    ----------
    name : str
        ``box`` or ``mask``.
    prompt_from : callable
        Makes the prompt from the truth (H, W) of that slice.
    load : callable
        Gives the predictor; called when the first volume is segmented.
    checkpoint : str
        What ``load`` loads.
    """

    name: str
    prompt_from: Callable[[Mask], Prompt]
    load: Callable[[], PromptableVideo]
    checkpoint: str

    def missing(self) -> str:
        """Say why it can't run here; empty where it can."""
        return "" if self.name == "mask" else _untaught(self.name, self.checkpoint)

    def segment(
        self,
        supports: tuple[SupportSlice, ...],  # noqa: ARG002
        label: int,  # noqa: ARG002
        query: QueryVolume,
        spacing: tuple[float, float, float],  # noqa: ARG002
        truth: NDArray[Any],
    ) -> Mask:
        """Segment the volume from its first slice of the class; as `System.segment`."""
        result = np.zeros(query.shape, bool)
        shown = np.flatnonzero(truth.any(axis=(1, 2)))
        if len(shown):
            first = int(shown[0])
            rest = _From(query.slices, first)
            prompt = self.prompt_from(np.asarray(truth[first], bool))
            result[first:] = self.load().propagate(rest, query.limits, {0: prompt}) > 0
        return result


def prompt_baselines(config: RevSAM2Config) -> tuple[PointPrompts | FirstSlicePrompt, ...]:
    """Make the four prompt baselines of Table 1 on the checkpoint of ``config``, loaded once a process, when needed."""

    def load() -> PromptedVideo:
        """Load the checkpoint when the first volume is segmented."""
        return _load(config)

    return (
        PointPrompts(1, load, config.checkpoint, config.seed),
        PointPrompts(3, load, config.checkpoint, config.seed),
        FirstSlicePrompt("box", box_around, load, config.checkpoint),
        FirstSlicePrompt("mask", lambda truth: truth, load, config.checkpoint),
    )


@lru_cache(maxsize=1)
def _load(config: RevSAM2Config) -> PromptedVideo:
    return PromptedVideo.load(config)


def box_around(mask: Mask) -> Box:
    """Draw the smallest box that holds a mask (H, W), which isn't empty."""
    rows, columns = np.nonzero(mask)
    return Box(int(rows.min()), int(columns.min()), int(rows.max()), int(columns.max()))


@dataclass(frozen=True, eq=False)
class _From:
    """Slices from ``first`` on, read when they are asked for."""

    slices: SliceStack
    first: int

    def __len__(self) -> int:
        return len(self.slices) - self.first

    def __getitem__(self, index: int) -> Any:
        return self.slices[self.first + index]


def _draw(mask: Mask, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Rows and columns (P, 2) of different pixels of a mask, P at most ``count``."""
    pixels = np.argwhere(mask)
    return random.choice(pixels, min(count, len(pixels)), replace=False) if len(pixels) else pixels


def _points(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> Points:
    return Points(np.concatenate([positive, negative]), np.arange(len(positive) + len(negative)) < len(positive))


def _untaught(name: str, checkpoint: str) -> str:
    if find_checkpoint(checkpoint).takes_points:
        return ""
    return f"{name} needs a checkpoint trained on points and boxes; {checkpoint} knows masks only: choose another."
