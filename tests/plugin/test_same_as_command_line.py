"""A file gives the same masks, scores and slice numbers in the window as on the command line."""

from __future__ import annotations

from contextlib import closing

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.plugin.files.volume_reader import read_layer
from napari_revsam2.plugin.files.volume_writer import write_labels_layer
from napari_revsam2.plugin.inputs.layer_request import LayerRequest, LayerSupport, choose_supports
from napari_revsam2.plugin.layers.layer_slices import slices_of
from napari_revsam2.plugin.layers.metadata import BODY_AXES
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_controller import RunController
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.volume_files.file_problem import open_problem
from tests.engine.conftest import paint
from tests.engine.fake_propagator import FakePropagator

CONFIG = RevSAM2Config(n_support=3, top_k=2)


class SidedPropagator(FakePropagator):
    """Its masks lie below and to the right of what they show, so that they tell how a slice was turned."""

    def segment(self, embeddings, banks):
        """Move the predictions."""
        return [np.roll(logits, (1, 2), axis=(0, 1)) for logits in super().segment(embeddings, banks)]


@pytest.fixture
def files(tmp_path, request):
    """A support, its labels and a query without any symmetry, in three files of one orientation."""
    turn = nib.orientations.axcodes2ornt(request.param)
    random = np.random.default_rng(0)
    (support, labels), (query, _) = paint((9, 13, 12)), paint((8, 14, 13), shift=3)
    labels[:3, 3] = 0
    paths = []
    for name, voxels in (("support", support), ("support_labels", labels), ("query", query)):
        noise = 0 if name == "support_labels" else random.normal(size=voxels.shape)
        image = nib.Nifti1Image((voxels + noise).astype(voxels.dtype), np.diag((1, 2, 3, 1)))
        paths.append(tmp_path / f"{name}.nii")
        image.as_reoriented(turn).to_filename(paths[-1])
    return paths


def request_for(viewer: ViewerModel, files, axis: Axis) -> LayerRequest:
    image, labels, query = (viewer.add_layer(Layer.create(*read_layer(path))) for path in files)
    number = BODY_AXES.index(axis.value)
    slices = slices_of(image, number)
    painted = {i: sorted({*np.unique(plane).tolist()} - {0}) for i, plane in enumerate(slices.of(labels))}
    painted = {i: classes for i, classes in painted.items() if classes}
    used = choose_supports([painted], CONFIG.n_support)[0]
    support = LayerSupport(image.name, slices, slices.of(labels), used, None)
    classes = tuple(sorted({label for found in painted.values() for label in found}))
    return LayerRequest((support,), query, slices_of(query, number), None, CONFIG, classes, labels.colormap)


@pytest.mark.parametrize("axis", list(Axis))
@pytest.mark.parametrize("files", ["RAS", "LPI", "PSR"], indirect=True)
def test_the_window_and_the_command_line_agree_on_a_file(files, axis, qtbot, tmp_path):
    problem = open_problem([files[:2]], files[2], CONFIG, axis)
    read_by_line = SidedPropagator()
    finished = list(run_revsam2(StoredEmbeddings(read_by_line), problem.supports, problem.query, CONFIG))[-1]
    problem.write(tmp_path / "line.nii", finished.segmentation)

    viewer, network = ViewerModel(), SidedPropagator()
    with closing(RunController(viewer.layers, KeptNetwork(lambda config: StoredEmbeddings(network)))) as controller:
        controller.start(request_for(viewer, files, axis))
        qtbot.waitUntil(lambda: not controller.state.phase.is_active, timeout=30_000)
        layer, state = controller.result.layer, controller.state

    write_labels_layer(str(tmp_path / "window.nii"), *layer.as_layer_data_tuple()[:2])
    assert finished.segmentation.any()
    assert (tmp_path / "window.nii").read_bytes() == (tmp_path / "line.nii").read_bytes()
    for of_class in finished.labels:
        np.testing.assert_array_equal(state.scores[of_class.label], of_class.reverse_scores)
        assert state.selected[of_class.label] == of_class.selected
    # What the network reads is what its embeddings are kept under.
    assert [image.tobytes() for image in network.embedded] == [image.tobytes() for image in read_by_line.embedded]
