"""A choice among the layers of one kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QWidget

from napari_revsam2.plugin.layers.layer_choice import LayerChoice


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    viewer = ViewerModel()
    for name in ("a", "b"):
        viewer.add_image(np.zeros((3, 4, 5)), name=name)
    viewer.add_labels(np.zeros((3, 4, 5), int), name="labels")
    return viewer


@pytest.fixture
def choice(viewer, qtbot) -> Iterator[LayerChoice]:
    parent = QWidget()
    qtbot.addWidget(parent)
    choice = LayerChoice(viewer.layers, Image, "The image.", parent)
    choice.native.setParent(parent)
    yield choice
    parent.close()


def offered(choice: LayerChoice) -> set[str]:
    return {choice.native.itemText(index) for index in range(choice.native.count())}


def test_layers_of_the_kind_are_offered_and_none(choice):
    choice.show_layer(None)
    assert {"a", "b"} < offered(choice)
    assert "labels" not in offered(choice)
    assert choice.layer is None


def test_a_layer_is_shown_without_telling(choice, viewer):
    heard = []
    choice.changed.connect(lambda: heard.append(choice.layer))
    choice.show_layer(viewer.layers["b"])
    assert choice.layer is viewer.layers["b"]
    assert not heard


def test_the_users_choice_is_told(choice, viewer, qtbot):
    with qtbot.waitSignal(choice.changed):
        choice.native.setCurrentText("b")
    assert choice.layer is viewer.layers["b"]


def test_a_layer_keeps_its_place_when_it_is_renamed(choice, viewer):
    layer = viewer.layers["b"]
    choice.show_layer(layer)
    layer.name = "c"
    choice.show_layer(layer)
    assert choice.layer is layer
    assert "c" in offered(choice)


def test_a_layer_that_is_gone_counts_as_none(choice, viewer):
    layer = viewer.layers["a"]
    choice.show_layer(layer)
    viewer.layers.remove(layer)
    choice.show_layer(layer)
    assert choice.layer is None
    assert "a" not in offered(choice)
