"""Tiny datasets in the layouts that are read."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np


def write_volume(path: Path, label: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.Nifti1Image(np.full((4, 4, 4), label, np.uint8), np.eye(4)).to_filename(path)
    return path


def decathlon(folder: Path, **changes: object) -> Path:
    """Two training volumes, numbered 1 and 2."""
    entries = []
    for number in (1, 2):
        image, labels = f"./imagesTr/organ_{number:03}.nii.gz", f"./labelsTr/organ_{number:03}.nii.gz"
        write_volume(folder / image)
        write_volume(folder / labels)
        entries.append({"image": image, "label": labels})
    table = {
        "name": "Organs",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "2": "spleen", "1": "liver"},
        "training": entries,
        "test": ["./imagesTs/organ_009.nii.gz"],
    }
    (folder / "dataset.json").write_text(json.dumps({**table, **changes}))
    return folder


def nnunet(folder: Path, **changes: object) -> Path:
    """Two training volumes and a test volume."""
    for part, name in (("Tr", "case_001"), ("Tr", "case_002"), ("Ts", "case_003")):
        write_volume(folder / f"images{part}" / f"{name}_0000.nii.gz")
        write_volume(folder / f"labels{part}" / f"{name}.nii.gz")
    table = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "liver": 1, "spleen": 2, "ignore": 3},
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps({**table, **changes}))
    return folder


def as_published(folder: Path, numbers: range | tuple[int, ...]) -> Path:
    """BTCV and Synapse-CT."""
    for number in numbers:
        write_volume(folder / "img" / f"img{number:04}.nii.gz")
        write_volume(folder / "label" / f"label{number:04}.nii.gz")
    return folder


def write_pairs(folder, *lines, header="image,labels,name,split"):
    path = folder / "pairs.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def names(subjects):
    return [subject.name for subject in subjects]
