"""Checkpoints that others publish: what each one is, where it comes from and where it lies. Loads no torch."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from napari_revsam2.sam2_backend.cache.cache_folder import cache_folder
from napari_revsam2.vocabulary.errors import CheckpointError

_META = "https://dl.fbaipublicfiles.com/segment_anything_2"
_HUB = "https://huggingface.co"
_MEDSAM2 = "e4a6f35edd7e091619cbc0750f462f1574e23955"
"""Revision of its repository."""


@dataclass(frozen=True)
class PublishedCheckpoint:
    """A file of weights that can be downloaded; implements `.checkpoint.Checkpoint`.

    Attributes
    ----------
    name : str
        What it is called.
    urls : tuple of str
        Where it lies, the best source first.
    sha256 : str
        Of the file; empty where only its hub knows it (the ETag of the large file).
    megabytes : int
        About how large the file is.
    about, licence : str
        What a user should know before the download.
    image_size : int, optional
        Side of the images it was made for, in pixels, where that isn't its architecture's own.
    """

    name: str
    urls: tuple[str, ...]
    sha256: str
    megabytes: int
    about: str
    licence: str = "Apache-2.0"
    image_size: int | None = None
    takes_points: bool = True
    is_private: bool = False

    @property
    def path(self) -> Path:
        """Where its file lies, or would lie, on this machine."""
        return checkpoint_folder() / self.urls[0].rpartition("/")[2]

    @property
    def is_available(self) -> bool:
        """Whether the file has been downloaded, or put there by hand."""
        return os.path.isfile(self.path)  # noqa: PTH113 - pathlib's raises in a folder that may not be looked into

    @property
    def by_hand(self) -> str:
        """Say which file to put where."""
        return f"By hand: put the file from {self.urls[0]} at {self.path}."

    def on_disk(self) -> AbstractContextManager[Path]:
        """Return the path of its file.

        Raises
        ------
        CheckpointError
            When it hasn't been downloaded.
        """
        if self.is_available:
            return nullcontext(self.path)
        raise CheckpointError(
            f"The weights of {self.name} aren't on this machine: download them with 'napari-revsam2 models download "
            f"{self.name}' (about {self.megabytes} MB). {self.by_hand}"
        )


def checkpoint_folder() -> Path:
    """Find the folder of downloaded checkpoints."""
    return cache_folder() / "checkpoints"


def _of_meta(family: str, folder: str, size: str, millions: int, sha256: str) -> PublishedCheckpoint:
    file = f"{family}_hiera_{size.replace('-', '_')}.pt"
    name = f"{family}-hiera-{size}"
    return PublishedCheckpoint(
        name,
        (f"{_META}/{folder}/{file}", f"{_HUB}/facebook/{name}/resolve/main/{file}"),
        sha256,
        megabytes=4 * millions,
        about=f"Meta's network of {millions} million weights: more exact, slow without a graphics card",
    )


PUBLISHED = {
    checkpoint.name: checkpoint
    for checkpoint in (
        _of_meta("sam2", "072824", "tiny", 39, "65b50056e05bcb13694174f51bb6da89c894b57b75ccdf0ba6352c597c5d1125"),
        _of_meta("sam2", "072824", "small", 46, "95949964d4e548409021d47b22712d5f1abf2564cc0c3c765ba599a24ac7dce3"),
        _of_meta("sam2", "072824", "base-plus", 81, "d0bb7f236400a49669ffdd1be617959a8b1d1065081789d7bbff88eded3a8071"),
        _of_meta("sam2", "072824", "large", 224, "7442e4e9b732a508f80e141e7c2913437a3610ee0c77381a66658c3a445df87b"),
        _of_meta("sam2.1", "092824", "tiny", 39, "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69"),
        _of_meta("sam2.1", "092824", "small", 46, "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38"),
        _of_meta(
            "sam2.1", "092824", "base-plus", 81, "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5"
        ),
        _of_meta("sam2.1", "092824", "large", 224, "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318"),
        PublishedCheckpoint(
            "medsam2",
            (f"{_HUB}/wanglab/MedSAM2/resolve/{_MEDSAM2}/MedSAM2_latest.pt",),
            sha256="",
            megabytes=156,
            about="SAM 2.1 tiny, fine-tuned on medical volumes at 512 px by the Wang lab",
            licence="see huggingface.co/wanglab/MedSAM2",
            image_size=512,
        ),
    )
}
"""By name; ``sam2-hiera-tiny`` is the paper's."""
