"""The main job on the sample volumes, with nothing to choose."""

from __future__ import annotations

from pathlib import Path

from napari_revsam2.sample_data import CLASSES, sample_query, sample_supports
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError

from .segment import Request, run_request
from .streams import say


def run_demo(folder: Path) -> None:
    """Segment the hippocampus of a fourth subject from ten slices of three others; leaves three files in ``folder``.

    Raises
    ------
    RevSAM2Error
        When the folder can't be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VolumeFileError(f"{folder} can't be created ({error.strerror}): choose another folder.") from error
    query, truth = sample_query()
    say("Hippocampus MR: ten painted slices of three subjects, a fourth subject to segment.")
    for label, name in CLASSES.items():
        say(f"class {label} is the {name}")
    run_request(
        Request(
            supports=sample_supports(),
            query=query,
            output=folder / "mask.nii.gz",
            axis=Axis.SAGITTAL,
            scores=folder / "scores.csv",
            figure=folder / "figure.png",
            truth=truth,
        )
    )
