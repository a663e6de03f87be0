"""Files of the viewer: NIfTI in, labels out, sample data."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari.layers import Labels

from napari_revsam2.plugin.files.sample_layers import hippocampus
from napari_revsam2.plugin.files.volume_reader import get_reader, read_layer, read_layers
from napari_revsam2.plugin.files.volume_writer import write_labels_layer, write_nifti_layer, write_tiff_layer
from napari_revsam2.vocabulary.errors import VolumeFileError

TURN = nib.eulerangles.euler2mat(0.2, 0.1, 0.3)


@pytest.fixture(params=["RAS", "LPI", "SAR"])
def oblique(request, tmp_path: Path) -> Path:
    """An image that lies obliquely, its axes in one order or another."""
    affine = np.eye(4)
    affine[:3, :3] = TURN * (1.0, 2.0, 3.0)
    affine[:3, 3] = 5, -7, 11
    voxels = np.random.default_rng(0).integers(0, 99, (5, 6, 7)).astype(np.int16)
    orientation = nib.orientations.axcodes2ornt(request.param)
    image = nib.Nifti1Image(voxels, affine).as_reoriented(orientation)
    nib.save(image, tmp_path / "patient.nii.gz")
    return tmp_path / "patient.nii.gz"


def test_an_image_opens_with_its_voxel_size_and_place(oblique):
    data, attributes, kind = read_layer(oblique)
    assert (data.shape, kind, attributes["name"]) == ((7, 6, 5), "image", "patient")
    np.testing.assert_allclose(attributes["scale"], (3, 2, 1), rtol=1e-5)
    volume = attributes["metadata"]["volume"]
    place = volume.affine @ (4, 5, 0, 1)
    np.testing.assert_allclose(attributes["translate"], (place[2], -place[1], -place[0]))


def test_labels_saved_from_a_layer_lie_on_the_grid_of_the_image(oblique, tmp_path):
    data, attributes, _ = read_layer(oblique)
    labels = (data > 50).astype(int) * 3
    out = tmp_path / "out.nii.gz"
    assert write_labels_layer(str(out), labels[None], attributes) == [str(out)]
    source, written = nib.load(oblique), nib.load(out)
    np.testing.assert_allclose(written.affine, source.affine)
    np.testing.assert_array_equal(written.get_fdata(), (source.get_fdata() > 50) * 3)


def test_labels_open_as_labels_named_after_their_image_and_can_be_painted_on(oblique, tmp_path):
    path = tmp_path / "patient_labels.nii.gz"
    image = nib.load(oblique)
    nib.save(nib.Nifti1Image((image.get_fdata() > 50).astype(np.uint8), image.affine), path)
    data, attributes, kind = read_layers([str(path)])[0]
    assert (kind, attributes["name"]) == ("labels", "patient labels")
    data[0, 0, 0] = 2


def test_labels_of_a_layer_from_elsewhere_get_the_grid_that_the_layer_shows(tmp_path):
    labels = np.zeros((4, 5, 6), np.int64)
    labels[1, 2, 3] = 1
    path = tmp_path / "x.nii"
    write_labels_layer(str(path), labels, {"scale": (3.0, 2.0, 1.0), "translate": (10.0, 20.0, 30.0), "metadata": {}})
    data, attributes, _ = read_layer(path)
    np.testing.assert_array_equal(data, labels)
    np.testing.assert_allclose(attributes["scale"], (3, 2, 1))
    np.testing.assert_allclose(attributes["translate"], (10, 20, 30))


def test_labels_in_micrometres_are_written_as_fractions_of_a_millimetre(tmp_path):
    layer = Labels(np.ones((4, 5, 6), np.uint8), scale=(300, 20, 10), translate=(1000, 0, 0), units=("um",) * 3)
    path = tmp_path / "x.nii"
    write_labels_layer(str(path), *layer.as_layer_data_tuple()[:2])
    _, attributes, _ = read_layer(path)
    np.testing.assert_allclose(attributes["scale"], (0.3, 0.02, 0.01))
    np.testing.assert_allclose(attributes["translate"], (1, 0, 0), atol=1e-6)


@pytest.mark.parametrize(("unit", "millimetres"), [("cm", 10), ("nm", 1e-6), ("mm", 1), ("pixel", 1)])
def test_each_axis_is_written_in_its_own_unit(tmp_path, unit, millimetres):
    layer = Labels(np.ones((4, 5, 6), np.uint8), scale=(3, 2, 1), units=(unit, "mm", "mm"))
    path = tmp_path / "x.nii"
    write_labels_layer(str(path), *layer.as_layer_data_tuple()[:2])
    np.testing.assert_allclose(nib.load(path).header.get_zooms(), (1, 2, 3 * millimetres), rtol=1e-6)


def test_labels_are_written_as_tiff(tmp_path):
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1, 2, 3] = 1
    path = tmp_path / "x.tif"
    write_labels_layer(str(path), labels, {"scale": (1, 1, 1), "translate": (0, 0, 0), "metadata": {}})
    assert tifffile.imread(path).sum() == 1


PLAIN = {"scale": (1, 1, 1), "translate": (0, 0, 0), "metadata": {}}


@pytest.mark.parametrize(("write", "ending"), [(write_nifti_layer, ".nii.gz"), (write_tiff_layer, ".tif")])
def test_a_name_without_an_ending_as_napari_offers_it_gets_that_of_the_chosen_type(tmp_path, write, ending):
    labels, path = np.ones((4, 5, 6), np.uint8), tmp_path / "patient 1.5T revsam2"
    assert write(str(path), labels, PLAIN) == [f"{path}{ending}"]
    assert [p.name for p in tmp_path.iterdir()] == [f"patient 1.5T revsam2{ending}"]
    with pytest.raises(VolumeFileError, match="exists already"):  # napari has asked about the name without it
        write(str(path), labels, PLAIN)
    assert write(f"{path}{ending}", labels, PLAIN) == [f"{path}{ending}"]


@pytest.mark.parametrize("labels", [np.zeros((2, 4, 5, 6), int), np.zeros((5, 6), int), np.full((4, 5, 6), -1)])
def test_what_is_no_label_volume_is_refused_in_words_and_nothing_is_written(tmp_path, labels):
    path = tmp_path / "x.nii"
    with pytest.raises(VolumeFileError, match=r"x\.nii"):
        write_labels_layer(str(path), labels, {"scale": (1,) * 4, "translate": (0,) * 4})
    assert not path.exists()


def test_other_files_are_left_to_other_readers():
    assert get_reader("x.tif") is None
    assert get_reader(["x.nii", "y.png"]) is None
    assert get_reader(["x.nii", "y.NII.GZ"]) is read_layers


def test_a_damaged_file_is_refused_in_words(tmp_path):
    path = tmp_path / "x.nii"
    path.write_bytes(b"nothing")
    with pytest.raises(VolumeFileError, match=r"x\.nii"):
        read_layers(str(path))


def test_the_sample_is_ten_painted_slices_of_three_subjects_and_a_query_on_top():
    layers = hippocampus()
    labels = [data for data, _, kind in layers if kind == "labels"]
    assert sum(int(data.any((1, 2)).sum()) for data in labels) == 10
    assert [attributes.get("visible", True) for _, attributes, _ in layers] == [False] * 6 + [True]
    assert all({1, 2} <= set(np.unique(data)) for data in labels)
