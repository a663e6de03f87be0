"""No text of an input, and no folder, reaches what is written."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_revsam2.volume_files import read_image, write_labels

# Letters that no format writes by itself, so that a chance hit is none.
TEXT = st.text(alphabet="QXZJKqxzjk", min_size=4, max_size=80)
VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
REPEATED = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ENDINGS = (".nii", ".nii.gz", ".tif")


def written(query: Path, ending: str) -> bytes:
    """All bytes of a mask on the grid of ``query``, as they are and unpacked."""
    path = query.parent / f"mask{ending}"
    image = read_image(query)
    write_labels(path, image.data > 30, image)
    content = path.read_bytes()
    return content + (gzip.decompress(content) if ending.endswith(".gz") else b"")


def parts(text: str) -> set[bytes]:
    """Every four letters in a row."""
    return {text[start : start + 4].encode() for start in range(len(text) - 3)}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair, nib.AnalyzeImage])
@REPEATED
@given(text=TEXT)
def test_no_text_of_a_nifti_reaches_the_mask(image_class, ending, tmp_path, text):
    query = image_class(VOXELS, np.eye(4))
    for field, (kind, *_) in query.header.template_dtype.fields.items():
        if kind.char == "S" and field != "magic":
            query.header[field] = text[: kind.itemsize].encode()
    if hasattr(query.header, "extensions"):
        query.header.extensions.append(nib.nifti1.Nifti1Extension("comment", text.encode()))
    path = tmp_path / f"query{dict(image_class.files_types)['image']}"
    query.to_filename(path)
    content = written(path, ending)
    assert not [part for part in parts(text) if part in content]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", [{}, {"imagej": True}, {"ome": True}])
@REPEATED
@given(text=TEXT)
def test_no_text_of_a_tiff_reaches_the_mask(kind, ending, tmp_path, text):
    metadata = {"unit": text, "Info": text, "Labels": [text] * 3} if "imagej" in kind else {"Name": text, "note": text}
    if "ome" in kind:
        metadata = {"axes": "ZYX", "Name": text, "Description": text, "PhysicalSizeXUnit": "mm", "PhysicalSizeX": 2.0}
    tags = [] if "imagej" in kind else [(315, 2, 0, text, True), (65000, 2, 0, text, True)]
    options = {"software": text, "extratags": tags, "photometric": "minisblack", "metadata": metadata} | kind
    tifffile.imwrite(tmp_path / "query.tif", VOXELS, **options)
    assert text.encode() in (tmp_path / "query.tif").read_bytes()
    content = written(tmp_path / "query.tif", ending)
    assert not [part for part in parts(text) if part in content]
