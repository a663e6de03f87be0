"""Settings: made from the options, kept between sessions, and never more than settings."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import pytest
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QFileDialog, QMessageBox, QPushButton

from napari_revsam2.plugin.settings.checkpoint_download import CheckpointDownload
from napari_revsam2.plugin.settings.settings_form import SettingsForm
from napari_revsam2.sam2_backend.checkpoints.checkpoint import known_checkpoints
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED
from napari_revsam2.settings.config import Mode, RevSAM2Config
from napari_revsam2.settings.intensity_window import CONTRAST_LIMITS, PRESETS
from napari_revsam2.settings.option import options_of
from napari_revsam2.vocabulary.errors import CheckpointError, ProblemError
from tests.sam2_backend.checkpoints.checkpoint_server import serving


@pytest.fixture
def stored(tmp_path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def open_form(qtbot, stored):
    """Open the form as in a new session."""

    def open_form() -> SettingsForm:
        stored.sync()
        form = SettingsForm(QSettings(stored.fileName(), QSettings.Format.IniFormat))
        qtbot.addWidget(form)
        form.offer(100, 100)
        return form

    return open_form


@pytest.fixture
def form(open_form) -> SettingsForm:
    return open_form()


def choose(form, name, value) -> None:
    """Choose as a user does."""
    field = form.fields[name]
    box = getattr(field, "box", field.native)
    (box.setValue if hasattr(box, "setValue") else box.setCurrentText)(value)


def test_untouched_it_gives_the_defaults(form):
    assert form.config() == RevSAM2Config()


def test_every_option_has_a_field_with_its_help(form):
    assert form.fields.keys() == {option.name for option in fields(RevSAM2Config)}
    for option in options_of(RevSAM2Config):
        assert form.fields[option.name].native.toolTip().replace("\n", " ") == option.help


def test_what_is_chosen_is_given(form):
    choose(form, "n_support", 4)
    choose(form, "mode", "fifo")
    choose(form, "device", "cpu")
    choose(form, "seed", 3)
    assert form.config() == RevSAM2Config(n_support=4, mode=Mode.FIFO, device="cpu", seed=3)


def test_a_choice_is_told(qtbot, form):
    with qtbot.waitSignal(form.wished):
        choose(form, "top_k", 3)


def test_choices_come_back_in_the_next_session(form, open_form):
    for name, value in [("n_support", 4), ("top_k", 3), ("mode", "random"), ("seed", 8), ("device", "cpu")]:
        choose(form, name, value)
    form.fields["window"].box.setCurrentText("CT lung (-600 / 1500)")
    assert open_form().config() == form.config() != RevSAM2Config()


@pytest.mark.parametrize("name", ["n_support", "mode", "window", "checkpoint", "device", "seed"])
def test_a_stored_value_that_cannot_be_is_passed_over(stored, open_form, name):
    stored.setValue(name, "nonsense")
    assert open_form().config() == RevSAM2Config()


def test_n_is_bounded_by_what_is_painted(form):
    form.offer(3, 100)
    assert form.config().n_support == 10  # resolve bounds it
    assert form.n_support.box.text() == "3 of 3"


def test_n_comes_back_when_enough_is_painted(form):
    form.offer(3, 100)
    form.offer(12, 100)
    assert form.config().n_support == 10
    assert form.n_support.box.text() == "10 of 12"


def test_n_is_never_below_1(form):
    form.offer(0, 0)
    assert form.n_support.box.value() == 1


def test_k_is_bounded_by_the_slices_of_the_query(form):
    form.offer(100, 5)
    assert form.top_k.box.value() == 5


def test_fewer_slices_of_today_do_not_change_what_is_stored(form, open_form):
    choose(form, "n_support", 20)
    form.offer(3, 2)
    choose(form, "seed", 1)
    assert open_form().config().n_support == 20


@pytest.mark.parametrize("window", ["percentile:1,98", CONTRAST_LIMITS, "35,80.5", "-600,1500", *PRESETS])
def test_every_window_can_be_shown_and_is_given_again(form, window):
    form.apply_choices({"window": window})
    assert form.config().window == window


def test_only_the_numbers_of_the_chosen_window_are_shown(qtbot, form):
    window = form.fields["window"]

    def shown():
        return [not box.isHidden() for box in (*window.percentiles, *window.custom)]

    assert shown() == [True, True, False, False]
    window.box.setCurrentText("CT abdomen (40 / 400)")
    assert shown() == [False] * 4
    window.box.setCurrentText("level and width ...")
    assert shown() == [False, False, True, True]


def test_percentiles_the_wrong_way_round_are_refused(form):
    form.fields["window"].percentiles[0].setValue(99.8)
    with pytest.raises(ProblemError, match="percentile:LOW,HIGH"):
        form.config()


def test_a_sentence_tells_what_to_expect_of_a_device(form):
    choose(form, "device", "cpu")
    assert "a large SAM 2 takes up to a minute a slice" in form.note.text()


def test_the_checkpoints_on_offer_are_those_that_have_a_name_and_a_file(form):
    box = form.checkpoint
    assert [box.itemData(i) for i in range(box.count() - 1)] == list(known_checkpoints())
    assert box.itemText(box.count() - 1) == "File ..."


def test_a_checkpoint_that_is_not_here_says_so_and_is_not_taken_from_an_earlier_session(form):
    box = form.checkpoint
    assert box.itemText(box.findData("sam2.1-hiera-large")) == "sam2.1-hiera-large (download)"
    form.apply_choices({"checkpoint": "sam2.1-hiera-large"})
    assert form.config().checkpoint == "revsam2-mini"


@pytest.fixture
def server(monkeypatch):
    """Publish a file as sam2-hiera-tiny on a local server."""
    with serving(bytes(3 * 10**6)) as server:
        digest = hashlib.sha256(server.content).hexdigest()
        published = replace(PUBLISHED["sam2-hiera-tiny"], urls=(server.url,), sha256=digest)
        monkeypatch.setitem(PUBLISHED, published.name, published)
        yield server


def ask_for(form, name, monkeypatch, answer) -> list[str]:
    """Choose a checkpoint in the list and answer the question; gives what was asked."""
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *said: asked.append(said[2]) or answer)
    form.checkpoint.setCurrentIndex(form.checkpoint.findData(name))
    form.checkpoint.activated.emit(form.checkpoint.currentIndex())
    return asked


def test_nothing_is_fetched_before_the_user_has_seen_size_source_and_licence_and_agreed(form, server, monkeypatch):
    (asked,) = ask_for(form, "sam2-hiera-tiny", monkeypatch, QMessageBox.StandardButton.No)
    for part in ("156 MB", "Apache-2.0", server.url):
        assert part in asked
    assert form.findChild(CheckpointDownload) is None
    assert server.ranges == []
    assert form.config().checkpoint == "revsam2-mini"


def test_a_download_runs_beside_the_window_and_its_checkpoint_is_chosen_then(form, server, monkeypatch, qtbot):
    with qtbot.waitSignal(form.wished, timeout=10_000):
        ask_for(form, "sam2-hiera-tiny", monkeypatch, QMessageBox.StandardButton.Yes)
    assert form.config().checkpoint == "sam2-hiera-tiny"
    assert form.checkpoint.currentText() == "sam2-hiera-tiny"
    assert PUBLISHED["sam2-hiera-tiny"].path.read_bytes() == server.content
    PUBLISHED["sam2-hiera-tiny"].path.unlink()
    with pytest.raises(CheckpointError, match="no longer there"):
        form.config()


def test_a_canceled_download_chooses_nothing_and_says_nothing(form, server, monkeypatch, qtbot):
    monkeypatch.setattr(QMessageBox, "warning", lambda *_: pytest.fail("said something"))
    server.may_end.clear()
    ask_for(form, "sam2-hiera-tiny", monkeypatch, QMessageBox.StandardButton.Yes)
    download = form.findChild(CheckpointDownload)
    qtbot.waitUntil(lambda: server.ranges != [])
    with qtbot.waitSignal(download.destroyed, timeout=2_000):  # though the server is silent
        download.findChild(QPushButton).click()
    server.may_end.set()
    assert form.config().checkpoint == "revsam2-mini"
    assert not PUBLISHED["sam2-hiera-tiny"].is_available


def test_a_download_that_fails_says_which_file_to_put_where(form, server, monkeypatch, qtbot):
    said = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *parts: said.append(parts[2]))
    server.status = 404
    ask_for(form, "sam2-hiera-tiny", monkeypatch, QMessageBox.StandardButton.Yes)
    qtbot.waitUntil(lambda: said != [], timeout=10_000)
    assert "HTTP 404" in said[0]
    assert f"put the file from {server.url} at " in said[0]
    assert form.config().checkpoint == "revsam2-mini"


@pytest.fixture
def choose_file(form, tmp_path, monkeypatch):
    """Choose 'File ...' and a file, or none, in the dialog."""

    def choose(name: str):
        path = tmp_path / name if name else ""
        if path:
            path.touch()
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        form.checkpoint.setCurrentText("File ...")
        form.checkpoint.activated.emit(form.checkpoint.currentIndex())
        return path

    return choose


def test_a_file_can_be_the_checkpoint(form, choose_file):
    path = choose_file("sam2.1_tiny.pt")
    assert form.config().checkpoint == str(path)
    assert form.checkpoint.currentText() == "sam2.1_tiny.pt"


def test_a_file_that_is_not_chosen_after_all_leaves_the_checkpoint(form, choose_file):
    choose_file("")
    assert form.config().checkpoint == "revsam2-mini"


def test_the_path_of_a_checkpoint_is_stored_nowhere(form, choose_file, stored, tmp_path):
    choose_file("sam2.1_tiny.pt")
    choose(form, "seed", 5)
    form._stored.sync()
    text = (tmp_path / "settings.ini").read_text()
    assert "seed=5" in text
    assert "tiny" not in text
    assert "checkpoint" not in form.choices()


def test_a_file_that_is_gone_can_be_chosen_in_the_list_and_is_refused(form, choose_file):
    path = choose_file("sam2.1_tiny.pt")
    form.checkpoint.value = "revsam2-mini"
    path.unlink()
    form.checkpoint.setCurrentIndex(form.checkpoint.findData(str(path)))
    form.checkpoint.activated.emit(form.checkpoint.currentIndex())
    with pytest.raises(CheckpointError, match="no longer there"):
        form.config()


def test_a_checkpoint_whose_file_is_gone_is_refused(form, choose_file):
    choose_file("sam2.1_tiny.pt").unlink()
    with pytest.raises(CheckpointError, match="no longer there"):
        form.config()
