"""A subject's image and labels, cut into slices."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.evaluation.datasets.labelled_stack import labelled_slices, read_labelled_stack
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from tests.evaluation.conftest import ORGAN, VESSEL, write_subject


@pytest.mark.parametrize("axis", list(Axis))
def test_the_spacing_of_a_stack_is_that_of_its_slices_rows_and_columns(tmp_path, axis):
    subject = write_subject(tmp_path, "volume")
    stack = read_labelled_stack(subject, axis, "50,100")
    voxels = {16: 2.0, 20: 1.5, 14: 3.0}
    assert stack.spacing == tuple(voxels[size] for size in stack.images.shape)


def test_slices_that_show_a_class_are_counted_along_the_axis(dataset):
    shown = labelled_slices(dataset.training[0], dataset.axis)
    assert shown == {ORGAN: tuple(range(2, 12)), VESSEL: tuple(range(1, 14))}


def test_labels_lie_on_the_slices_of_their_image(tmp_path):
    stack = read_labelled_stack(write_subject(tmp_path, "volume"), Axis.CORONAL, "50,100")
    assert set(stack.images[stack.labels == ORGAN]) == {100}
    assert set(stack.images[stack.labels == VESSEL]) == {50}


def test_a_window_of_a_single_grey_value_is_refused_by_the_name_of_the_image(tmp_path):
    subject = write_subject(tmp_path, "flat", n_slices=1)  # neither organ nor vessel
    with pytest.raises(ProblemError, match=r"flat\.nii\.gz has a single grey value"):
        read_labelled_stack(subject, Axis.AXIAL, "percentile:0.5,99.5")


def test_labels_on_another_grid_are_refused(tmp_path):
    subject = write_subject(tmp_path, "volume")
    nib.save(nib.Nifti1Image(np.zeros((16, 20, 13), np.uint8), np.eye(4)), subject.labels)
    with pytest.raises(VolumeFileError, match="volume_labels"):
        read_labelled_stack(subject, Axis.AXIAL, "50,100")


def test_the_same_volume_is_read_once(tmp_path):
    subject = write_subject(tmp_path, "volume")
    first = read_labelled_stack(subject, Axis.AXIAL, "50,100")
    subject.image.unlink()
    assert read_labelled_stack(subject, Axis.AXIAL, "50,100") is first
