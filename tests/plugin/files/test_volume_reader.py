"""NIfTI files to layers."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.plugin.files.volume_reader import get_reader, read_layer, read_layers
from napari_revsam2.plugin.layers.metadata import BODY_AXES
from napari_revsam2.vocabulary.errors import VolumeFileError


def test_an_image_opens_with_its_voxel_size_and_place(oblique):
    data, attributes, kind = read_layer(oblique)
    assert (data.shape, kind, attributes["name"]) == ((7, 6, 5), "image", "patient")
    np.testing.assert_allclose(attributes["scale"], (3, 2, 1), rtol=1e-5)
    volume = attributes["metadata"]["volume"]
    place = volume.affine @ (4, 5, 0, 1)
    np.testing.assert_allclose(attributes["translate"], (place[2], -place[1], -place[0]))


def test_labels_open_as_labels_named_after_their_image_and_can_be_painted_on(oblique, tmp_path):
    path = tmp_path / "patient_labels.nii.gz"
    image = nib.load(oblique)
    nib.save(nib.Nifti1Image((image.get_fdata() > 50).astype(np.uint8), image.affine), path)
    data, attributes, kind = read_layers([str(path)])[0]
    assert (kind, attributes["name"]) == ("labels", "patient labels")
    data[0, 0, 0] = 2


def test_other_files_are_left_to_other_readers():
    assert get_reader("x.tif") is None
    assert get_reader(["x.nii", "y.png"]) is None
    assert get_reader(["x.nii", "y.NII.GZ"]) is read_layers


def test_a_damaged_file_is_refused_in_words(tmp_path):
    path = tmp_path / "x.nii"
    path.write_bytes(b"nothing")
    with pytest.raises(VolumeFileError, match=r"x\.nii"):
        read_layers(str(path))


def test_axes_are_called_by_what_slices_along_them_are(oblique):
    _, attributes, _ = read_layer(oblique)
    assert attributes["axis_labels"] == BODY_AXES == ("axial", "coronal", "sagittal")
