"""The real window: the whole way with the bundled checkpoint and a picture; how runs end, with a fake network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from docs.screenshots import picture, run_to_the_end, until, window_with_sample
from napari._app_model import get_app_model
from qtpy.compat import isalive
from qtpy.QtWidgets import QLabel

from napari_revsam2.plugin.run.networks import KeptNetwork
from napari_revsam2.plugin.run.run_state import Phase
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
RESULT = "hippocampus_006 revsam2"


@pytest.fixture
def window(qapp, tmp_path, monkeypatch):
    """Napari with the sample data and the widget."""
    monkeypatch.setenv("HOME", str(tmp_path))
    viewer, widget = window_with_sample()
    until(lambda: widget.form.run_bar.button.isEnabled(), 10)
    yield viewer, widget
    if hasattr(viewer.window, "_qt_window"):
        viewer.close()
    until(lambda: not widget.controller._thread.isRunning(), 10)
    if isalive(widget):  # taken out of its dock, it is nobody's
        widget.deleteLater()


@pytest.fixture
def held(window, network):
    """The same with a fake network that waits before each slice, after a click on Run."""
    viewer, widget = window
    widget.controller._network = KeptNetwork(lambda config: StoredEmbeddings(network))
    network.hold()
    widget.form.run_bar.button.click()
    return viewer, widget


def test_from_the_sample_to_masks_and_scores_on_screen_and_again(window):
    viewer, widget = window
    empty = picture(viewer)
    run_to_the_end(widget)
    assert widget.controller.state.phase is Phase.COMPLETED, widget.controller.state.message
    layer = viewer.layers[RESULT]
    assert {1, 2} <= set(np.unique(layer.data))
    shown = int(np.argmax((layer.data == 1).sum((1, 2))))
    viewer.dims.set_point(0, layer.data_to_world((shown, 0, 0))[0])
    full = picture(viewer)
    plot = widget.scores.plot
    corner = plot.mapTo(viewer.window._qt_window, plot.rect().topLeft())
    rows, columns = slice(corner.y(), corner.y() + plot.height()), slice(corner.x(), corner.x() + plot.width())
    assert (empty[rows, columns] != full[rows, columns]).any(2).sum() > 200  # curves
    canvas = full[100:700, 340:850, :3].astype(int)
    assert (canvas.max(2) - canvas.min(2) > 60).sum() > 1000  # coloured masks on a grey image
    widget.scores.again.click()
    until(lambda: not widget.controller.state.phase.is_active, 60)
    assert widget.controller.state.phase is Phase.COMPLETED


def test_commands_of_the_palette_click_the_buttons_of_the_open_widget(window, monkeypatch):
    viewer, widget = window
    said = []
    monkeypatch.setattr("napari_revsam2.plugin.commands.show_info", said.append)
    command = get_app_model().commands.execute_command
    command("napari-revsam2.propagate_again").result()
    assert said == ['"Propagate again" has nothing to do now.']
    command("napari-revsam2.run").result()
    assert widget.controller.state.phase is Phase.RUNNING
    command("napari-revsam2.run").result()
    until(lambda: widget.controller.state.phase is Phase.CANCELED, 60)
    viewer.window.remove_dock_widget("all")
    command("napari-revsam2.next_worst").result()
    assert "Open the widget first" in said[-1]


def test_out_of_memory_is_a_sentence_beside_the_button_and_the_layers_are_as_before(held, network):
    viewer, widget = held
    before = {layer.name: np.array(layer.data) for layer in viewer.layers}
    network.error = torch.OutOfMemoryError("CUDA out of memory")
    network.let_go()
    until(lambda: widget.controller.state.phase is Phase.FAILED, 10)
    assert "memory isn't enough" in widget.form.run_bar.text.text()
    assert widget.form.run_bar.button.text() == "Run"
    assert [layer.name for layer in viewer.layers] == list(before)
    for layer in viewer.layers:
        np.testing.assert_array_equal(layer.data, before[layer.name])


def test_naparis_spinner_turns_slowly_during_a_run_as_each_turn_repaints_the_window(held, network):
    _, widget = held
    spinners = [label.movie() for label in widget.window().findChildren(QLabel) if label.movie() is not None]
    assert spinners
    assert all(spinner.speed() < 10 for spinner in spinners)
    network.let_go()
    until(lambda: not widget.controller.state.phase.is_active, 30)
    assert all(spinner.speed() == 100 for spinner in spinners)


def test_the_result_layer_removed_during_a_run_ends_it(held, network):
    viewer, widget = held
    network.let_one()
    until(lambda: RESULT in viewer.layers, 10)
    viewer.layers.remove(RESULT)
    assert widget.controller.state.phase is Phase.CANCELED
    assert "removed" in widget.form.run_bar.text.text()
    network.let_go()
    until(lambda: widget.form.run_bar.button.text() == "Run", 10)
    assert RESULT not in viewer.layers


def test_the_viewer_closed_during_a_run_ends_it(held, network):
    viewer, widget = held
    network.let_one()
    until(lambda: RESULT in viewer.layers, 10)
    network.let_go()
    viewer.close()
    assert widget.controller.state.phase is Phase.CANCELED
    until(lambda: not widget.controller._thread.isRunning(), 10)
