"""Sessions and painted slices, from one window to the next."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import Qt

from napari_revsam2.plugin.dock_widget import RevSAM2Widget
from napari_revsam2.plugin.files.session import kept_session, kept_supports
from napari_revsam2.plugin.files.session_file import load_session, save_session, save_supports
from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from tests.engine.conftest import BRIGHT
from tests.fuzz.targets import TARGETS, case, fault_of_words
from tests.plugin.conftest import TRUTH, assert_is_truth
from tests.plugin.form.conftest import choose_axis, rows_of

from .session_values import changed


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "s.npz"


@pytest.fixture
def reopened(ran, viewer, qtbot, network, path):
    """Save, begin anew with the images in `keep`, and load."""
    opened = []

    def reopen(keep=("query",)) -> RevSAM2Widget:
        assert ran.sessions.save_session(path), sentence(ran)
        ran.close()
        for layer in [layer for layer in viewer.layers if layer.name not in keep]:
            viewer.layers.remove(layer)
        widget = RevSAM2Widget(viewer, KeptNetwork(lambda config: StoredEmbeddings(network)))
        qtbot.addWidget(widget)
        opened.append(widget)
        assert widget.sessions.load_session(path), sentence(widget)
        return widget

    yield reopen
    for widget in opened:
        widget.close()


def sentence(widget) -> str:
    return widget.form.run_bar.text.text()


def run_to_the_end(widget, qtbot, button) -> None:
    qtbot.waitUntil(button.isEnabled)
    button.click()
    qtbot.waitUntil(lambda: not widget.controller.state.phase.is_active, timeout=10_000)
    assert widget.controller.state.phase is Phase.COMPLETED


def test_a_session_brings_supports_choices_scores_and_result_back(ran, viewer, qtbot, reopened):
    ran.form.settings.top_k.box.setValue(3)
    ran.form.query.last.setValue(6)
    rows_of(ran.form)[1].setCheckState(0, Qt.CheckState.Unchecked)
    selected, scores = ran.controller.state.selected, ran.controller.state.scores
    other = reopened()
    assert_is_truth(viewer.layers["query revsam2"].data)
    assert dict(other.controller.state.selected) == dict(selected)
    np.testing.assert_array_equal(other.controller.state.scores[BRIGHT], scores[BRIGHT])
    inputs = other.form.inputs
    assert (inputs.settings.top_k, inputs.range_shown) == (3, (0, 7))
    assert inputs.unchecked_of(viewer.layers["support supports labels"]) == {1}
    run_to_the_end(other, qtbot, other.scores.again)
    run_to_the_end(other, qtbot, other.form.run_bar.button)


def test_a_result_that_a_canceled_propagate_again_left_whole_is_not_kept_as_partial(ran, qtbot, network, path):
    network.hold()
    ran.controller.propagate_again()
    ran.controller.cancel()
    network.let_go()
    qtbot.waitUntil(lambda: ran.controller.state.phase is Phase.CANCELED)
    assert ran.sessions.save_session(path), sentence(ran)
    assert not load_session(path).run.partial


def test_a_change_of_range_after_the_run_leaves_its_result_alone(ran, viewer, reopened):
    ran.form.query.last.setValue(5)
    other = reopened()
    assert_is_truth(viewer.layers["query revsam2"].data)
    assert len(other.controller.request.slices) == other.controller.state.n_slices == 8
    assert other.form.inputs.range_shown == (0, 6)


def test_a_change_of_axis_after_the_run_leaves_its_result_alone(ran, reopened):
    choose_axis(ran.form, -2)
    other = reopened()
    assert other.controller.request.slices.axis == 0
    assert other.form.inputs.axis == -2


def test_a_change_of_query_after_the_run_leaves_the_result_with_its_own_patient(ran, viewer, reopened):
    viewer.add_image(np.zeros((8, 14, 13), np.float32), name="next patient")
    assert ran.form.inputs.query.name == "next patient"
    other = reopened(keep=("query", "next patient"))
    assert other.controller.request.query_layer is viewer.layers["query"]
    assert "query revsam2" in viewer.layers
    assert other.form.inputs.query is viewer.layers["next patient"]


def test_a_change_of_settings_after_the_run_leaves_its_own_with_the_result(ran, reopened):
    used = ran.controller.request.config
    ran.form.settings.top_k.box.setValue(1)
    ran.form.settings.fields["window"].value = "bone"
    limits = ran.controller.request.query.limits
    other = reopened()
    assert other.controller.request.config == used
    assert other.controller.request.query.limits == limits


def test_a_result_that_is_propagated_again_says_all_that_it_said_before(ran, viewer, qtbot, reopened):
    before = viewer.layers["query revsam2"].metadata["revsam2"]
    other = reopened()
    run_to_the_end(other, qtbot, other.scores.again)
    assert viewer.layers["query revsam2"].metadata["revsam2"] == before


def test_a_query_that_lies_otherwise_than_the_runs_is_refused_and_adds_nothing(ran, viewer, path):
    session = kept_session(ran.form, ran.controller)
    save_session(path, replace(session, run=session.run.model_copy(update={"backwards": (1,)})))
    before = state_of(ran, viewer)
    assert not ran.sessions.load_session(path)
    assert "'query' lies otherwise than when the session was saved" in sentence(ran)
    assert state_of(ran, viewer) == before


def test_a_result_at_one_time_of_a_series_comes_back_at_that_time(widget, viewer, qtbot, path):
    series = np.stack([np.zeros((8, 14, 13), np.float32), viewer.layers["query"].data])
    viewer.add_image(series, name="series")
    viewer.dims.set_current_step(0, 1)
    run_to_the_end(widget, qtbot, widget.form.run_bar.button)
    viewer.dims.set_current_step(0, 0)
    assert widget.sessions.save_session(path), sentence(widget)
    viewer.layers.remove("series revsam2")
    assert widget.sessions.load_session(path), sentence(widget)
    np.testing.assert_array_equal(widget.controller.result.segmentation(), TRUTH)
    assert widget.controller.request.slices.point[0] == 1


def test_a_fully_labelled_support_of_100_slices_loads(widget, viewer, path, qtbot):
    labels = np.ones((100, 384, 384), np.uint8)
    viewer.add_image(np.broadcast_to(np.arange(384, dtype=np.int16), labels.shape), name="big")
    viewer.add_labels(labels, name="big labels")
    widget.form.query._choice._combo.value = viewer.layers["query"]
    run_to_the_end(widget, qtbot, widget.form.run_bar.button)
    assert widget.sessions.save_session(path), sentence(widget)
    assert widget.sessions.load_session(path), sentence(widget)
    assert widget.controller.result is not None
    assert len(viewer.layers["big supports"].data) == 100


def test_what_is_saved_is_complete_even_right_after_opening(widget, viewer):
    labels = np.ones((200, 64, 64), np.uint8)
    viewer.add_image(np.zeros(labels.shape, np.uint8), name="big", contrast_limits=(0, 1))
    viewer.add_labels(labels, name="big labels")
    assert [len(pair.indices) for pair in kept_supports(widget.form)] == [2, 200]


def test_a_session_brings_the_units_back(ran, viewer, path):
    for layer in viewer.layers:
        layer.units = ("mm",) * 3
    assert ran.sessions.save_session(path)
    assert ran.sessions.load_session(path)
    assert {str(unit) for layer in viewer.layers for unit in layer.units} == {"millimeter"}


def test_a_session_cut_along_another_axis_brings_the_same_slices_back(widget, viewer, qtbot, path):
    viewer.layers["support labels"].data[:, 4:] = 0
    viewer.layers["support labels"].refresh()
    choose_axis(widget.form, -2)
    before = kept_supports(widget.form)[0]
    assert widget.sessions.save_session(path), sentence(widget)
    choose_axis(widget.form, -3)
    assert widget.sessions.load_session(path), sentence(widget)
    assert widget.form.inputs.axis == -2
    after = kept_supports(widget.form)[0]
    np.testing.assert_array_equal(after.image, before.image)
    np.testing.assert_array_equal(after.labels, before.labels)
    assert after.scale == before.scale == (1.0, 2.0, 1.0)


def test_a_name_that_no_file_can_hold_is_kept_with_escapes(ran, viewer, path):
    viewer.layers["query"].name = "pati\udce9nt"
    assert ran.sessions.save_session(path), sentence(ran)
    assert load_session(path).form.query.name == "pati\\udce9nt"
    assert ran.sessions.load_session(path), sentence(ran)


def test_a_session_holds_no_path(ran, tmp_path):
    (tmp_path / "mine.safetensors").touch()
    ran.form.settings.checkpoint.value = str(tmp_path / "mine.safetensors")
    ran.form.change(ran.form.settings.wish)
    assert ran.form.inputs.settings.checkpoint.endswith("mine.safetensors")
    assert "mine" not in kept_session(ran.form, ran.controller).form.model_dump_json()


def test_without_a_query_the_painted_slices_alone_can_be_saved(widget, viewer, path):
    viewer.add_image(np.zeros((5, 6)), name="flat")
    assert not widget.sessions.save_session(path)
    assert "There is no volume to segment" in sentence(widget)
    assert widget.sessions.save_supports(path)


def test_a_session_that_names_a_file_as_checkpoint_does_not_make_it_be_read(ran, path, tmp_path):
    session = kept_session(ran.form, ran.controller)
    (tmp_path / "hostile.pt").touch()
    settings = {**session.form.settings, "checkpoint": str(tmp_path / "hostile.pt")}
    save_session(path, replace(session, form=session.form.model_copy(update={"settings": settings})))
    before = ran.form.inputs.settings.checkpoint
    assert ran.sessions.load_session(path), sentence(ran)
    assert ran.form.inputs.settings.checkpoint == before


def test_a_name_that_is_longer_than_a_file_takes_is_cut_and_the_query_found_again(ran, viewer, path):
    viewer.layers["query"].name = "x" * 1000
    assert ran.sessions.save_session(path), sentence(ran)
    assert ran.sessions.load_session(path), sentence(ran)


@pytest.mark.parametrize("what", ["session", "supports"])
def test_painted_slices_that_cannot_be_kept_are_refused_in_one_sentence(ran, viewer, path, what):
    viewer.layers["support"].scale = (1e13, 1, 1)
    assert not getattr(ran.sessions, f"save_{what}")(path)
    assert "values that no session can hold" in sentence(ran)
    assert not path.exists()


@pytest.mark.parametrize("change", [{"scale": (1e-13, 1, 1)}, {"scale": (1e13, 1, 1)}, {"translate": (1e13, 0, 0)}])
def test_a_result_whose_place_cannot_be_kept_is_refused_in_one_sentence(ran, viewer, path, change):
    for name, value in change.items():
        setattr(viewer.layers["query revsam2"], name, value)
    assert not ran.sessions.save_session(path)
    assert "values that no session can hold" in sentence(ran)
    assert not path.exists()


@pytest.mark.parametrize("shape", [(8, 20, 13), (4, 14, 13), (8, 14, 13), (2, 8, 14, 13)])
def test_a_session_is_not_saved_when_the_query_no_longer_has_the_data_of_the_run(ran, viewer, path, shape):
    viewer.layers["query"].data = np.zeros(shape, np.float32)
    assert not ran.sessions.save_session(path)
    assert "'query' has other data than when it was segmented" in sentence(ran)
    assert not path.exists()


def test_a_session_saved_without_a_result_says_so(ran, viewer, path):
    viewer.add_image(np.zeros((8, 14, 13), np.float32), name="next patient")
    viewer.layers.remove("query")
    assert ran.sessions.save_session(path), sentence(ran)
    assert sentence(ran) == "Session saved. It holds no result."


def test_a_session_of_a_partial_result_says_so_when_it_is_loaded(ran, path):
    session = kept_session(ran.form, ran.controller)
    save_session(path, replace(session, run=session.run.model_copy(update={"partial": True})))
    assert ran.sessions.load_session(path), sentence(ran)
    assert sentence(ran).startswith("Session loaded. Its result is partial: the run was canceled or failed.")


def test_supports_that_a_session_brought_back_keep_their_name_in_the_next(ran, viewer, reopened, path):
    other = reopened()
    assert other.sessions.save_session(path), sentence(other)
    assert other.sessions.load_session(path), sentence(other)
    assert not [layer.name for layer in viewer.layers if "supports supports" in layer.name]


# What is refused changes nothing.


def state_of(widget, viewer) -> tuple:
    names = [(layer.name, layer.visible) for layer in viewer.layers]
    return list(viewer.layers), names, viewer.layers.selection.active, widget.form.inputs, widget.controller.request


def test_a_file_that_is_no_session_changes_nothing(ran, viewer, path):
    path.write_text("no")
    before = state_of(ran, viewer)
    assert not ran.sessions.load_session(path)
    assert "s.npz" in sentence(ran)
    assert state_of(ran, viewer) == before


@pytest.mark.parametrize("part", ["form", "run"])
def test_a_session_whose_query_is_not_open_names_it_and_adds_nothing(ran, viewer, path, part):
    session = kept_session(ran.form, ran.controller)
    query = getattr(session, part).query.model_copy(update={"name": "Anna"})
    save_session(path, replace(session, **{part: getattr(session, part).model_copy(update={"query": query})}))
    before = state_of(ran, viewer)
    assert not ran.sessions.load_session(path)
    assert "Open the image 'Anna' (8 x 14 x 13 voxels) first" in sentence(ran)
    assert state_of(ran, viewer) == before


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("run.transforms.scale", [1.0, 1.0]),
        ("run.transforms.affine", [[0.0] * 4] * 4),
        ("run.transforms.affine", [[1.0]]),
        ("run.transforms.rotate", [[1.0, 2.0], [3.0]]),
        ("run.transforms.units", ["mm", "mm", "patient"]),
        ("run.transforms.axis_labels", ["z"]),
        ("form.settings", {"window": "of my own"}),
        ("run.settings", {"top_k": 0}),
        ("supports.0.units", ["mm", "mm", "patient"]),
    ],
)
def test_a_session_that_cannot_be_shown_is_refused_and_adds_nothing(ran, viewer, path, place, value):
    assert ran.sessions.save_session(path)
    with np.load(path) as file:
        arrays = dict(file)
    head = json.dumps(changed(json.loads(str(arrays.pop("head"))), place, value))
    np.savez(path, head=np.array(head), **arrays)
    before = state_of(ran, viewer)
    assert not ran.sessions.load_session(path)
    assert "can't be read" in sentence(ran)
    assert state_of(ran, viewer) == before


def test_a_result_of_another_shape_is_refused_and_adds_nothing(ran, viewer, path):
    session = kept_session(ran.form, ran.controller)
    save_session(path, replace(session, result=session.result[:2]))
    before = state_of(ran, viewer)
    assert not ran.sessions.load_session(path)
    assert state_of(ran, viewer) == before


def test_layers_that_napari_cannot_show_beside_the_others_are_taken_away_again(ran, viewer, path, monkeypatch):
    assert ran.sessions.save_session(path)
    before = state_of(ran, viewer)

    def fail(viewer, layer):
        raise ValueError("units")

    monkeypatch.setattr(type(viewer), "add_layer", fail)
    assert not ran.sessions.load_session(path)
    assert state_of(ran, viewer)[:3] == before[:3]


def test_a_damaged_session_is_loaded_or_refused_in_one_sentence_and_then_adds_nothing(ran, viewer, path):
    assert ran.sessions.save_session(path)
    example, target = path.read_bytes(), TARGETS["session"]
    for seed in range(60):
        path.write_bytes(case(target, example, seed))
        before = state_of(ran, viewer)
        if not ran.sessions.load_session(path):
            assert fault_of_words(sentence(ran).split("\n")[0]) == "", seed
            assert state_of(ran, viewer) == before, seed


# Painted slices.


@pytest.mark.parametrize("damage", [{"scale": (1.0, 1.0, 0.0)}, {"units": ("mm", "mm", "patient")}])
def test_painted_slices_that_cannot_be_shown_are_refused_and_none_is_added(ran, viewer, path, damage):
    good = kept_supports(ran.form)[0]
    save_supports(path, [good])
    with np.load(path) as file:
        arrays = dict(file)
    head = json.loads(str(arrays.pop("head")))
    head["supports"] = [head["supports"][0], {**head["supports"][0], **damage}]
    np.savez(path, head=np.array(json.dumps(head)), **arrays, image_1=arrays["image_0"], labels_1=arrays["labels_0"])
    before = list(viewer.layers)
    assert not ran.sessions.load_supports(path)
    assert "can't be read" in sentence(ran)
    assert list(viewer.layers) == before


def test_painted_slices_saved_for_the_next_patient_become_supports(ran, viewer, qtbot, path):
    assert ran.sessions.save_supports(path)
    viewer.layers.remove("support")
    viewer.layers.remove("support labels")
    assert ran.sessions.load_supports(path)
    qtbot.waitUntil(lambda: ran.form.run_bar.button.isEnabled())
    run_to_the_end(ran, qtbot, ran.form.run_bar.button)
    assert_is_truth(viewer.layers["query revsam2 [1]"].data)


def test_painted_slices_lie_below_the_query(ran, viewer, path):
    assert ran.sessions.save_supports(path)
    assert ran.sessions.load_supports(path)
    assert [type(layer) for layer in viewer.layers[:2]] == [Image, Labels]
    assert ran.form.inputs.complete_pairs == ((viewer.layers[0], viewer.layers[1]),)
