"""Labels layers to files."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari.layers import Labels

from napari_revsam2.plugin.files.volume_reader import read_layer
from napari_revsam2.plugin.files.volume_writer import write_labels_layer, write_nifti_layer, write_tiff_layer
from napari_revsam2.vocabulary.errors import VolumeFileError

PLAIN = {"scale": (1, 1, 1), "translate": (0, 0, 0), "metadata": {}}


def test_labels_saved_from_a_layer_lie_on_the_grid_of_the_image(oblique, tmp_path):
    data, attributes, _ = read_layer(oblique)
    labels = (data > 50).astype(int) * 3
    out = tmp_path / "out.nii.gz"
    assert write_labels_layer(str(out), labels[None], attributes) == [str(out)]
    source, written = nib.load(oblique), nib.load(out)
    np.testing.assert_allclose(written.affine, source.affine)
    np.testing.assert_array_equal(written.get_fdata(), (source.get_fdata() > 50) * 3)


def test_labels_are_not_written_over_the_image_that_they_lie_on(oblique):
    data, attributes, _ = read_layer(oblique)
    before = oblique.read_bytes()
    with pytest.raises(VolumeFileError, match="is also an input"):
        write_labels_layer(str(oblique), (data > 50).astype(int), attributes)
    assert oblique.read_bytes() == before


def test_labels_that_were_edited_may_be_written_over_their_own_file(oblique):
    path = oblique.rename(oblique.with_name("patient_labels.nii.gz"))
    data, attributes, _ = read_layer(path)
    write_labels_layer(str(path), data * 0, attributes)
    assert not read_layer(path)[0].any()


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
