"""Bars for a person at a terminal, and nothing for a file or a pipe."""

from __future__ import annotations

import io
import sys

import pytest

from napari_revsam2.cli.progress import RunProgress
from napari_revsam2.engine.events import SliceScored, Stage, StageStarted


class Terminal(io.StringIO):
    """Keeps what is written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


def show_two_of_three_slices() -> None:
    with RunProgress() as progress:
        progress.show(StageStarted(Stage.REVERSE, 7, 3))
        for index in range(2):
            progress.show(SliceScored(7, index, 0.5))


def test_a_terminal_gets_a_bar_that_moves_with_the_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    show_two_of_three_slices()
    assert f"{Stage.REVERSE.description}, class 7" in terminal.getvalue()
    assert "2/3" in terminal.getvalue()


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    show_two_of_three_slices()
    assert pipe.getvalue() == ""
    assert capsys.readouterr().out == ""
