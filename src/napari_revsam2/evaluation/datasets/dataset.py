"""Labelled volumes that take part in an experiment (section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis


@dataclass(frozen=True)
class Subject:
    """One labelled volume.

    Attributes
    ----------
    name : str
        What tells it from the others in results; no path.
    image, labels : Path
        What `volume_files.read_image` and `volume_files.read_labels` read.
    """

    name: str
    image: Path
    labels: Path


@dataclass(frozen=True)
class Dataset:
    """Labelled volumes with one table of classes.

    Attributes
    ----------
    name : str
        Name in results.
    classes : mapping of int to str
        Class id in the label files, and its name.
    training : tuple of Subject
        Where supports are drawn from.
    test : tuple of Subject
        The queries; empty where the dataset has no split of its own: then those of ``training`` that give no support.
    window : str
        Grey values the model sees (`RevSAM2Config.window`).
    axis : Axis
        The body axis to cut along.
    """

    name: str
    classes: Mapping[int, str]
    training: tuple[Subject, ...]
    test: tuple[Subject, ...] = ()
    window: str = RevSAM2Config().window
    axis: Axis = Axis.AXIAL
