"""The Run button, what stands beside it, and how far a run is."""

from __future__ import annotations

from qtpy.QtCore import Qt

from .conftest import sentence


def test_while_a_run_goes_on_the_button_cancels(qtbot, sample):
    sample.run_bar.set_running(True)
    assert sample.run_bar.button.text() == "Cancel"
    with qtbot.waitSignal(sample.run_bar.cancel_clicked), qtbot.assertNotEmitted(sample.run_requested):
        qtbot.mouseClick(sample.run_bar.button, Qt.MouseButton.LeftButton)
    sample.run_bar.set_running(False)
    assert sample.run_bar.button.text() == "Run"


def test_a_run_can_be_canceled_whatever_is_wrong_with_the_form(sample, viewer):
    sample.run_bar.set_running(True)
    viewer.layers.clear()
    assert sample.run_bar.button.isEnabled()
    sample.run_bar.set_running(False)
    assert not sample.run_bar.button.isEnabled()


def test_progress_is_shown_while_a_run_goes_on(sample):
    sample.run_bar.set_running(True)
    sample.run_bar.set_progress("forward, slice 3 of 8", 3, 8)
    bar = sample.run_bar.progress
    assert (bar.value(), bar.maximum(), bar.isHidden()) == (3, 8, False)
    assert sentence(sample) == "forward, slice 3 of 8"
    sample.run_bar.set_running(False)
    assert bar.isHidden()


def test_a_message_stays_until_the_next_run(sample):
    sample.run_bar.set_running(True)
    sample.run_bar.set_running(False)
    sample.run_bar.show_message("The memory isn't enough.")
    sample.settings.top_k.box.setValue(2)
    assert sentence(sample) == "The memory isn't enough."
    sample.run_bar.set_running(True)
    assert sentence(sample) == ""


def test_the_button_stays_where_it_is_while_a_run_tells_its_progress(qtbot, form):
    bar = form.run_bar
    form.resize(400, 500)
    form.show()
    qtbot.waitExposed(form)
    places = []
    for text in ("Loading the model ...", "Reverse propagation, class 1: 3 of 34, about 30 s left in this stage"):
        bar.set_running(True)
        bar.set_progress(text, 3, 34)
        qtbot.wait(20)
        places.append(bar.button.mapTo(form, bar.button.rect().topLeft()))
    bar.set_running(False)
    bar.show_message("Done.")
    qtbot.wait(20)
    places.append(bar.button.mapTo(form, bar.button.rect().topLeft()))
    form.close()
    assert places[0] == places[1] == places[2]
