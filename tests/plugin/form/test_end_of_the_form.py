"""When the form goes, nothing stays."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_revsam2.plugin.form.input_form import InputForm
from napari_revsam2.plugin.supports.annotated_slices import AnnotatedSlices

from .conftest import add_pair


def delete(form) -> None:
    form.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_nothing_of_a_deleted_form_is_left(qapp, viewer, stored):
    add_pair(viewer, "subject")
    form = InputForm(viewer, stored)
    parts = [weakref.ref(part) for part in (form, form.supports, form.supports.annotated[0], form.pairs.rows[0].image)]
    delete(form)
    del form
    gc.collect()
    assert [part() for part in parts] == [None] * 4


def test_a_deleted_form_lets_layers_go(qapp, stored):
    viewer = ViewerModel()
    form = InputForm(viewer, stored)
    add_pair(viewer, "subject")
    layers = [weakref.ref(layer) for layer in viewer.layers]
    delete(form)
    viewer.layers.clear()
    del viewer, form
    gc.collect()
    assert [layer() for layer in layers] == [None] * 2


def test_a_living_form_lets_removed_layers_go(viewer, form, settled):
    layers = [weakref.ref(layer) for layer in add_pair(viewer, "subject")]
    settled()
    viewer.layers.selection.active = viewer.add_image(np.zeros((5, 10, 12)))  # napari itself keeps the active one
    viewer.layers.remove(viewer.layers["subject"])
    viewer.layers.remove(viewer.layers["subject labels"])
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert [layer() for layer in layers] == [None] * 2


def test_a_pair_that_does_not_fit_leaves_nothing_behind_however_often_layers_change(viewer, form):
    image = viewer.add_image(np.zeros((5, 10, 12)), name="scan")
    viewer.add_labels(np.zeros((5, 10, 11), np.uint8), name="scan labels")
    for name in ("a", "scan", "b", "scan"):
        image.name = name
    assert form.supports.findChildren(AnnotatedSlices) == []


def test_of_pairs_that_are_watched_no_more_nothing_is_left(viewer, form, settled):
    image, labels = add_pair(viewer, "subject")
    for shape in ((6, 10, 12), (7, 10, 12)):
        image.data, labels.data = np.zeros(shape), np.zeros(shape, np.uint8)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert len(form.supports.findChildren(AnnotatedSlices)) == 1
    viewer.layers.clear()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert form.supports.findChildren(AnnotatedSlices) == []


@pytest.mark.parametrize("end", [delete, InputForm.close])
def test_a_form_that_ends_takes_its_callbacks_along(viewer, stored, end):
    _, labels = add_pair(viewer, "subject")
    emitters = [*viewer.layers.events.emitters.values(), viewer.dims.events.point, *labels.events.emitters.values()]
    before = [len(emitter.callbacks) for emitter in emitters]
    form = InputForm(viewer, stored)
    assert [len(emitter.callbacks) for emitter in emitters] != before
    end(form)
    assert [len(emitter.callbacks) for emitter in emitters] == before
    if end is not delete:
        delete(form)


@pytest.mark.parametrize("end", [delete, InputForm.close])
def test_when_the_form_is_gone_the_viewer_goes_on(viewer, stored, end):
    image, labels = add_pair(viewer, "subject")
    form = InputForm(viewer, stored)
    end(form)
    assert isalive(form) is (end is not delete)
    labels.paint((1, 1, 1), 1)
    labels.data = labels.data.copy()
    image.name = "somebody else"
    viewer.add_image(np.zeros((3, 8, 14, 13)))
    viewer.dims.set_current_step(0, 1)
    viewer.layers.clear()
    if end is not delete:
        delete(form)
