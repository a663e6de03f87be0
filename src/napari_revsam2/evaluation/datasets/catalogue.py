"""Ready descriptions of the paper's four datasets (section 4.1): classes, window, split and how their files lie.

Nothing is downloaded. Where a class table or a split is from, and what could not be found out, is in
``docs/datasets.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import RevSAM2Error

SUBJECT = "{}"
"""Stands for a subject's name in the patterns of a `Description`."""


class DatasetError(RevSAM2Error):
    """A folder or file that can't be opened as a dataset."""


@dataclass(frozen=True)
class Description:
    """What is known of a public dataset.

    Attributes
    ----------
    name : str
        Name in results.
    classes : mapping of int to str
        Class id in the label files, and its name; the same name in all descriptions.
    images, labels : str
        Where they lie as published, relative to the folder; ``{}`` is the subject's name.
    window : str
        Grey values the model sees (`RevSAM2Config.window`).
    source, licence : str
        Where to get it, and on what terms.
    training, test : tuple of str
        The split, as subjects' names; both empty where none is known, and then all volumes are on offer.
    """

    name: str
    classes: Mapping[int, str]
    images: str
    labels: str
    window: str
    source: str
    licence: str
    training: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


_BTCV = Description(
    name="BTCV",
    classes=MappingProxyType(
        {
            1: "spleen",
            2: "right kidney",
            3: "left kidney",
            4: "gallbladder",
            5: "esophagus",
            6: "liver",
            7: "stomach",
            8: "aorta",
            9: "inferior vena cava",
            10: "portal and splenic veins",
            11: "pancreas",
            12: "right adrenal gland",
            13: "left adrenal gland",
            14: "duodenum",
        }
    ),
    images="img/img{}.nii.gz",
    labels="label/label{}.nii.gz",
    window="abdomen",
    source="images https://www.synapse.org/Synapse:syn3193805, labels with duodenum https://zenodo.org/record/1169361",
    licence="the terms you accept on Synapse and the Zenodo record's own",
    # Of reference [23]: the lines of 01_Multi-Atlas_Labeling in its lists PAOT_123457891213_{train,test}.txt.
    training=(
        *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0021", "0022", "0029", "0030"),
        *("0031", "0032", "0033", "0034", "0035", "0037", "0038", "0039", "0040", "0061", "0062", "0063", "0064"),
        *("0065", "0067", "0068", "0069", "0070", "0074", "0075", "0076", "0078", "0079", "0080"),
    ),
    test=("0023", "0024", "0025", "0026", "0027", "0028"),
)

_ABDOMENCT_1K = Description(
    name="AbdomenCT-1K",
    classes=MappingProxyType(
        {
            1: "liver",
            2: "right kidney",
            3: "spleen",
            4: "pancreas",
            5: "aorta",
            6: "inferior vena cava",
            7: "right adrenal gland",
            8: "left adrenal gland",
            9: "gallbladder",
            10: "esophagus",
            11: "stomach",
            12: "duodenum",
            13: "left kidney",
        }
    ),
    images="images/FLARE22_Tr_{}_0000.nii.gz",
    labels="labels/FLARE22_Tr_{}.nii.gz",
    window="abdomen",
    source="the 50 labelled volumes of FLARE 2022, https://flare22.grand-challenge.org",
    licence="the terms you accept there; the images are from the Medical Segmentation Decathlon (CC-BY-SA 4.0)",
)

_SYNAPSE_CT = Description(
    name="Synapse-CT",
    classes=MappingProxyType({1: "spleen", 2: "right kidney", 3: "left kidney", 6: "liver"}),
    images="img/img{}.nii.gz",
    labels="label/label{}.nii.gz",
    window="abdomen",
    source="the 30 training volumes of https://www.synapse.org/Synapse:syn3193805",
    licence="the terms you accept on Synapse",
)

_CHAOS_MRI = Description(
    name="CHAOS-MRI",
    # The grey values of the label images.
    classes=MappingProxyType({63: "liver", 126: "right kidney", 189: "left kidney", 252: "spleen"}),
    images="{}/T2SPIR/DICOM_anon",
    labels="{}/T2SPIR/Ground",
    window=RevSAM2Config().window,  # MR has no absolute grey values: percentiles
    source="CHAOS_Train_Sets.zip of https://zenodo.org/record/3431873",
    licence="Creative Commons, attribution and share-alike; read the record for commercial use",
)

CATALOGUE: Mapping[str, Description] = MappingProxyType(
    {description.name.lower(): description for description in (_BTCV, _ABDOMENCT_1K, _SYNAPSE_CT, _CHAOS_MRI)}
)
"""The descriptions by name, in small letters."""


def describe(name: str) -> Description:
    """Look a description up; upper and lower case are the same.

    Raises
    ------
    DatasetError
        When there is none of that name.
    """
    try:
        return CATALOGUE[name.lower()]
    except KeyError:
        raise DatasetError(f"There is no description {name!r}: use one of {', '.join(CATALOGUE)}.") from None
