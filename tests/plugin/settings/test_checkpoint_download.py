"""Published weights are downloaded when the user agrees, beside the window."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from qtpy.QtWidgets import QMessageBox, QPushButton

from napari_revsam2.plugin.settings.checkpoint_download import CheckpointDownload
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED
from napari_revsam2.vocabulary.errors import CheckpointError
from tests.sam2_backend.checkpoints.checkpoint_server import serving


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
