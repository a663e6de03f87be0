"""nnU-Net v2, trained from scratch on the support slices: the trained baseline of Tables 1 and 2."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 # as its own documentation has it
from filelock import FileLock
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.sam2_backend.cache.cache_folder import cache_folder
from napari_revsam2.sam2_backend.device import choose_device
from napari_revsam2.settings.intensity_window import windowed
from napari_revsam2.vocabulary.errors import ProblemError, RevSAM2Error

DEFAULT_EPOCHS = 100
"""An epoch is 250 batches whatever the number of slices, so ten slices are seen thousands of times. nnU-Net's own
default, and so presumably the paper's, is 1000: ten times as long for each class and support set."""
TRAINERS = {
    1: "nnUNetTrainer_1epoch",
    **{epochs: f"nnUNetTrainer_{epochs}epochs" for epochs in (5, 10, 20, 50, 100, 250, 500, 750)},
    1000: "nnUNetTrainer",
    **{epochs: f"nnUNetTrainer_{epochs}epochs" for epochs in (2000, 4000, 8000)},
}
"""Trainers that come with nnU-Net, by their number of epochs."""

_DATASET = "Dataset001_Supports"
_LOG = "nnunet.log"
_TRAINED = "trained"


class NnUNetError(RevSAM2Error):
    """An nnU-Net that stopped."""


def run_command(command: Sequence[str], folder: Path) -> None:
    """Run one of nnU-Net's commands with its three folders inside ``folder``, where ``nnunet.log`` keeps what it says.

    Raises
    ------
    NnUNetError
        When it isn't there, or fails.
    """
    program = shutil.which(command[0], path=sysconfig.get_path("scripts"))
    if program is None:
        raise NnUNetError(f"{command[0]} isn't installed: install nnU-Net with pip install 'napari-revsam2[nnunet]'.")
    folders = {f"nnUNet_{kind}": str(folder / kind) for kind in ("raw", "preprocessed", "results")}
    environment = {**_quiet(command), **os.environ, **folders}
    with (folder / _LOG).open("a", encoding="utf-8") as log:
        log.flush()
        ended = subprocess.run(
            [program, *command[1:]], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode:
        last = (folder / _LOG).read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        raise NnUNetError(f"nnU-Net stopped in {command[0]} ({last}): the whole of what it said is in {folder / _LOG}.")


def _quiet(command: Sequence[str]) -> dict[str, str]:
    """Defaults that the user's environment goes before."""
    plot_to_files = {"MPLBACKEND": "Agg"}
    # Without a GPU, processes that augment would take the cores from the training.
    return {**plot_to_files, "nnUNet_n_proc_DA": "0"} if "cpu" in command else plot_to_files


@dataclass(frozen=True)
class NnUNet:
    """The 2-D configuration of nnU-Net v2, trained on N slices and nothing else.

    One network a class and support set, as for the method; all slices train (fold ``all``), as so few can't be split.
    Grey values are the window's, 0 to 1, which nnU-Net then normalises itself. Pixels count as squares of one size: a
    support slice knows no millimetres. Slices are handed over as MetaImage files, which nnU-Net reads itself.

    Trained networks stay in ``folder`` under a hash of slices and settings, so that other queries, other processes and
    a resumed evaluation find them; a network takes from 4 MB to some hundred, by the size of
    the slices.

    Attributes
    ----------
    name : str
        ``nnunet``, or ``nnunet-EPOCHS``.
    epochs : int
        How long to train; one of `TRAINERS`.
    device : str
        As `RevSAM2Config.device`.
    folder : Path, optional
        Where trained networks are kept; by default ``nnunet`` in the user's cache.
    run : callable
        Runs a command of nnU-Net in a folder.

    Raises
    ------
    ProblemError
        When nnU-Net has no trainer of so many epochs.
    """

    name: str = "nnunet"
    epochs: int = DEFAULT_EPOCHS
    device: str = "auto"
    folder: Path | None = None
    run: Callable[[Sequence[str], Path], None] = run_command

    def __post_init__(self) -> None:
        """Check the epochs."""
        if self.epochs not in TRAINERS:
            known = ", ".join(map(str, TRAINERS))
            raise ProblemError(f"nnU-Net has no trainer of {self.epochs} epochs: use one of {known}.")

    def missing(self) -> str:
        """Say why it can't run here; empty where it can."""
        if find_spec("nnunetv2") is None:
            return "nnU-Net isn't installed: pip install 'napari-revsam2[nnunet]'."
        return ""

    def segment(
        self,
        supports: tuple[SupportSlice, ...],
        label: int,
        query: QueryVolume,
        spacing: tuple[float, float, float],  # noqa: ARG002
        truth: NDArray[Any],  # noqa: ARG002
    ) -> NDArray[np.bool_]:
        """Train, where that isn't done yet, and segment each slice; as `System.segment`.

        Raises
        ------
        NnUNetError
            When nnU-Net isn't there or stops, or the folder can't be created.
        DeviceError
            When the device isn't there.
        """
        trained = self._trained(supports, label)
        with tempfile.TemporaryDirectory(prefix="napari-revsam2-", ignore_cleanup_errors=True) as temporary:
            slices, found = Path(temporary, "slices"), Path(temporary, "found")
            for index in range(len(query.slices)):
                _write(slices / f"{index:05}_0000.mha", windowed(np.asarray(query.slices[index]), query.limits))
            files = ("-i", str(slices), "-o", str(found))
            network = ("-d", "1", "-c", "2d", "-f", "all", "-tr", TRAINERS[self.epochs])
            one_process = ("-npp", "0", "-nps", "0", "--disable_progress_bar")
            self.run(("nnUNetv2_predict", *files, *network, *one_process, "-device", self._device()), trained)
            return np.stack([_read(found / f"{index:05}.mha") for index in range(len(query.slices))])

    def _trained(self, supports: tuple[SupportSlice, ...], label: int) -> Path:
        """Give the folder of the network for these slices, trained if need be, by one process alone."""
        kept = self.folder or cache_folder() / "nnunet"
        try:
            kept.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NnUNetError(
                f"{kept} can't be created for networks ({error.strerror}): set NAPARI_REVSAM2_CACHE to a folder."
            ) from error
        folder = kept / _fingerprint(supports, label, TRAINERS[self.epochs])
        with FileLock(folder.with_suffix(".lock")):
            if not (folder / _TRAINED).exists():
                shutil.rmtree(folder, ignore_errors=True)
                _write_dataset(folder / "raw" / _DATASET, supports, label)
                self._train(folder)
                (folder / _TRAINED).touch()
        return folder

    def _train(self, folder: Path) -> None:
        one_process = ("-np", "1", "-npfp", "1", "--no_pbar")
        self.run(("nnUNetv2_plan_and_preprocess", "-d", "1", "-c", "2d", *one_process), folder)
        self.run(("nnUNetv2_train", "1", "2d", "all", "-tr", TRAINERS[self.epochs], "-device", self._device()), folder)
        shutil.rmtree(folder / "preprocessed", ignore_errors=True)
        for spare in (folder / "results").rglob("checkpoint_best.pth"):
            spare.unlink()

    def _device(self) -> str:
        return choose_device(self.device).type


def _write_dataset(folder: Path, supports: Sequence[SupportSlice], label: int) -> None:
    """Write slices in nnU-Net's raw layout."""
    for number, support in enumerate(supports):
        _write(folder / "imagesTr" / f"slice_{number:05}_0000.mha", windowed(support.image, support.limits))
        _write(folder / "labelsTr" / f"slice_{number:05}.mha", support.mask(label).astype(np.uint8))
    description = {
        "channel_names": {"0": "grey"},
        "labels": {"background": 0, "organ": 1},
        "numTraining": len(supports),
        "file_ending": ".mha",
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")


def _write(path: Path, pixels: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.ascontiguousarray(pixels)), str(path))


def _read(path: Path) -> NDArray[np.bool_]:
    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(path))) == 1)


def _fingerprint(supports: Sequence[SupportSlice], label: int, trainer: str) -> str:
    """Hash what a network is trained on, and with."""
    digest = hashlib.sha256(trainer.encode())
    for support in supports:
        digest.update(repr(support.image.shape).encode())
        digest.update(windowed(support.image, support.limits).tobytes())
        digest.update(support.mask(label).tobytes())
    return digest.hexdigest()[:32]
