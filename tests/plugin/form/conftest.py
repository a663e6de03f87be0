"""A form on a viewer without a window."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QSettings

from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.plugin.inputs import inputs as inputs_module
from tests.engine.conftest import paint


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def stored(tmp_path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def form(qtbot, viewer, stored) -> InputForm:
    form = InputForm(viewer, stored)
    qtbot.addWidget(form)
    return form


@pytest.fixture
def settled(qtbot, form):
    """Wait until all slices have been looked at."""

    def wait() -> InputForm:
        qtbot.waitUntil(lambda: all(annotated.is_complete for annotated in form.supports.annotated))
        return form

    return wait


@pytest.fixture
def sample(viewer, form, settled) -> InputForm:
    """Two pairs and a query, opened one layer after the other."""
    for number in range(2):
        add_pair(viewer, f"subject {number}", (5 + number, 10, 12))
    viewer.add_image(paint((8, 14, 13), shift=3)[0], name="new patient")
    return settled()


def add_pair(viewer, name, shape=(5, 10, 12)):
    image, labels = paint(shape)
    return viewer.add_image(image, name=name), viewer.add_labels(labels, name=f"{name} labels")


def choose_axis(form, axis) -> None:
    """Choose in the box, as a user does."""
    form.query.axis_box.setCurrentIndex(form.query.axis_box.findData(axis))


def choose_pairs(form, pairs) -> None:
    form.change(lambda inputs: inputs_module.choose_pairs(inputs, pairs))


def sentence(form) -> str:
    return form.run_bar.text.text()


def shown_pairs(form) -> list[tuple[str, str]]:
    return [(image.name, labels.name) for image, labels in form.inputs.complete_pairs]


def rows_of(form, number=0) -> list:
    top = form.supports.tree.topLevelItem(number)
    return [top.child(row) for row in range(top.childCount())]
