"""The kinds of files that are read, each with a valid example, the damage done to it, and the reader."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import nibabel as nib
import numpy as np
import tifffile
import torch
from safetensors.torch import save as safetensors_bytes

from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.evaluation.experiment.results_folder import check_settings, keep_settings
from napari_revsam2.evaluation.experiment.row_file import read_results, read_slices
from napari_revsam2.plugin.files.session_file import load_session, load_supports
from napari_revsam2.sam2_backend.checkpoints.architectures import architecture_of
from napari_revsam2.sam2_backend.checkpoints.weights import read_weights
from napari_revsam2.vocabulary.errors import RevSAM2Error
from napari_revsam2.volume_files import read_image, read_labels
from tests.evaluation.dataset_folders import decathlon, nnunet, write_pairs, write_volume
from tests.evaluation.result_rows import whole_evaluation
from tests.plugin.files.session_values import HEAD, SUPPORT, write
from tests.volume_files.test_dicom import write_series

from .mutator import damaged, damaged_number, damaged_text

VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
_PYTHONS_OWN_WORDS = re.compile(
    r"Traceback|Errno|Error:|<class|object has no|NoneType|invalid literal|could not convert|can't decode|codec"
    r"|pydantic|unexpected end of data|Expecting (value|property|',')|validation error| at 0x|list index"
    r"|integer string conv"
)


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes
    ----------
    file : str
        The file that is damaged, within a folder.
    build : callable
        Writes a valid example into a folder.
    read : callable
        Reads the file; a `RevSAM2Error` of one sentence is as good as a result.
    damage : callable
        Damages the file's bytes.
    """

    file: str
    build: Callable[[Path], object]
    read: Callable[[Path], object]
    damage: Callable[[bytes, Random], bytes] = damaged


def finding(target: Target, folder: Path, content: bytes) -> str:
    """Say what is wrong with how damaged content is read; empty where nothing is.

    Parameters
    ----------
    target : Target
        The kind of file.
    folder : Path
        A copy of a valid example, whose file is replaced.
    content : bytes
        What the file is to hold.
    """
    path = folder / target.file
    path.write_bytes(content)
    try:
        target.read(path)
    except RevSAM2Error as error:
        return fault_of_words(str(error))
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    return ""


def fault_of_words(sentence: str) -> str:
    """Say what is wrong with a message; empty where nothing is."""
    if not sentence.isprintable():
        return f"a message of several lines, or with control characters: {sentence[:300]!r}"
    if not sentence.endswith(".") or len(sentence) > 800:
        return f"a message that isn't a sentence: {sentence[:300]}"
    if words := _PYTHONS_OWN_WORDS.search(sentence):
        return f"a message with Python's own words ({words[0]}): {sentence[:300]}"
    return ""


def case(target: Target, example: bytes, seed: int) -> bytes:
    """Damage an example; the same for the same seed."""
    return target.damage(example, Random(seed))


# NIfTI, TIFF, DICOM


def _read_volume(path: Path) -> None:
    for read in (read_image, read_labels):
        try:
            read(path)
        except RevSAM2Error as error:
            if fault := fault_of_words(str(error)):
                raise AssertionError(fault) from error


def _damaged_header(content: bytes, draw: Random) -> bytes:
    """Damage NIfTI's header of 352 bytes more often than the voxels."""
    return damaged_number(content, draw, stop=352) if draw.random() < 0.5 else damaged(content, draw)


def _damaged_gzip(content: bytes, draw: Random) -> bytes:
    """Damage what was compressed, or the compressed file."""
    if draw.random() < 0.25:
        return damaged(content, draw)
    return gzip.compress(_damaged_header(gzip.decompress(content), draw), 1, mtime=0)


def _write_nifti(path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, np.diag([0.5, 1.25, 3.0, 1]))
    image.header.set_slope_inter(2, 1)
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(path)


def _write_tiff(path: Path) -> None:
    metadata = {"axes": "ZYX", "spacing": 3.0, "unit": "mm"}
    tifffile.imwrite(path, VOXELS, imagej=True, resolution=(2, 2), metadata=metadata)


def _write_ome_tiff(path: Path) -> None:
    tifffile.imwrite(path, VOXELS, ome=True, compression="zlib", metadata={"axes": "ZYX", "PhysicalSizeX": 0.5})


# Session and painted slices


def _damaged_archive(content: bytes, draw: Random) -> bytes:
    """Damage the description, a member, or the archive around them."""
    kind = draw.random()
    if kind < 0.25:
        return damaged(content, draw)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if kind < 0.75:
        head = str(np.load(io.BytesIO(members["head.npy"])))
        text = damaged_text(head.encode(), draw).decode(errors="replace")
        buffer = io.BytesIO()
        np.save(buffer, np.array(text))
        members["head.npy"] = buffer.getvalue()
    else:
        name = draw.choice(sorted(members))
        members[name] = damaged(members[name], draw)
    buffer = io.BytesIO()
    compression = draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, compression)  # of a fixed time
    return buffer.getvalue()


def _write_supports(path: Path) -> None:
    write(path, {"napari_revsam2": "supports", "version": 1, "supports": [SUPPORT]})


# Datasets


def _write_csv(folder: Path) -> None:
    write_volume(folder / "v.nii")
    (folder / "classes.csv").write_text("id,name\n1,liver\n4,left kidney\n")
    write_pairs(folder, "v.nii,v.nii,first,training", 'v.nii,v.nii,"second, too",test')


def _write_bids(folder: Path) -> None:
    write_volume(folder / "sub-01_T1w.nii.gz")
    write_volume(folder / "sub-01_dseg.nii.gz")
    (folder / "dseg.tsv").write_text("index\tname\n0\tnothing\n1\tthalamus\n2\tputamen\n")


# Checkpoints

_WEIGHTS = {"image_encoder.trunk.patch_embed.proj.weight": torch.ones(4, 3, 2, 2), "maskmem_tpos_enc": torch.ones(7, 1)}


def _read_checkpoint(path: Path) -> None:
    architecture_of(read_weights(path), str(path))


# Results


def _write_results(folder: Path) -> None:
    from napari_revsam2.evaluation.experiment.result_rows import ResultRow, SliceRow
    from napari_revsam2.evaluation.experiment.row_file import RowFile

    rows, slices = whole_evaluation()
    RowFile(folder / "results.csv", ResultRow).append(rows[:6])
    RowFile(folder / "slices.csv", SliceRow).append(slices[:6])
    keep_settings(_SETTINGS, folder)


_SETTINGS = {"seed": 0, "checkpoint": "revsam2-mini", "modes": ["revsam2"], "window": "abdomen"}


def _read_settings(path: Path) -> None:
    check_settings(_SETTINGS, tuple(_SETTINGS), path.parent)


def _in_folder(name: str, write_file: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: write_file(folder / name)


TARGETS = {
    "nifti": Target("v.nii", _in_folder("v.nii", _write_nifti), _read_volume, _damaged_header),
    "nifti-gz": Target("v.nii.gz", _in_folder("v.nii.gz", _write_nifti), _read_volume, _damaged_gzip),
    "tiff": Target("v.tif", _in_folder("v.tif", _write_tiff), _read_volume),
    "ome-tiff": Target("v.ome.tif", _in_folder("v.ome.tif", _write_ome_tiff), _read_volume),
    "dicom": Target(
        "series/IMG-0002-00002.dcm",
        lambda folder: write_series(folder / "series", VOXELS, np.diag([0.5, 1.25, 3.0, 1])),
        lambda path: read_image(path.parent),
    ),
    "checkpoint-safetensors": Target(
        "w.safetensors",
        lambda folder: (folder / "w.safetensors").write_bytes(safetensors_bytes(_WEIGHTS)),
        _read_checkpoint,
    ),
    "checkpoint-pt": Target("w.pt", lambda folder: torch.save({"model": _WEIGHTS}, folder / "w.pt"), _read_checkpoint),
    "session": Target("s.npz", lambda folder: write(folder / "s.npz", HEAD), load_session, _damaged_archive),
    "supports": Target("s.npz", _in_folder("s.npz", _write_supports), load_supports, _damaged_archive),
    "decathlon": Target("dataset.json", decathlon, lambda path: open_dataset(path.parent), damaged_text),
    "nnunet": Target("dataset.json", nnunet, lambda path: open_dataset(path.parent), damaged_text),
    "csv": Target("pairs.csv", _write_csv, open_dataset, damaged_text),
    "classes": Target("classes.csv", _write_csv, lambda path: open_dataset(path.with_name("pairs.csv")), damaged_text),
    "bids": Target("dseg.tsv", _write_bids, lambda path: open_dataset(path.parent), damaged_text),
    "results": Target("results.csv", _write_results, lambda path: read_results(path.parent), damaged_text),
    "slices": Target("slices.csv", _write_results, lambda path: read_slices(path.parent), damaged_text),
    "settings": Target("settings.json", _write_results, _read_settings, damaged_text),
}
