"""Streams that are closed, full or absent: no traceback, and the exit code that a shell expects."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import nibabel as nib
import pytest

from napari_revsam2.cli.streams import one_line

from .conftest import Files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="other streams there")
_MAIN = "import sys; from napari_revsam2.cli import main; sys.exit(main())"
_DESCRIPTORS = {"stdin": 0, "stdout": 1, "stderr": 2}


def run(words: list[str], unbuffered: bool = False, **streams: str) -> tuple[int, str]:
    """Run a command with streams that are "full", "broken" (a pipe without a reader) or "absent"; code and stderr."""
    absent = [_DESCRIPTORS[name] for name, state in streams.items() if state == "absent"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with ExitStack() as opened:
        files = {name: opened.enter_context(_opened(state)) for name, state in streams.items() if state != "absent"}
        command = [sys.executable, *["-u"] * unbuffered, "-c", _MAIN, *words]
        if absent:
            command = ["sh", "-c", " ".join(['exec "$@"', *(f"{number}>&-" for number in absent)]), "sh", *command]
        captured = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | files
        done = subprocess.run(command, env=environment, text=True, check=False, **captured)
    return done.returncode, done.stderr or ""


def _opened(state: str):
    if state == "full":
        return Path("/dev/full").open("w")
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


PRINTING = {"cache": ["cache"], "models": ["models", "list"], "where": ["models", "where"], "version": ["--version"]}
FAILING = {"unknown": ["models", "where", "nonsense"], "unparsed": ["segment"]}


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("words", PRINTING.values(), ids=PRINTING)
def test_output_that_a_full_disk_does_not_take_is_one_sentence_and_code_1(words, unbuffered):
    code, error = run(words, unbuffered, stdout="full")
    assert code == 1
    assert "standard output can't be written (No space left on device)" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("words", PRINTING.values(), ids=PRINTING)
def test_output_that_nobody_reads_any_more_is_silent_and_code_141(words, unbuffered):
    assert run(words, unbuffered, stdout="broken") == (141, "")


@pytest.mark.parametrize("streams", [("stdout",), ("stderr",), ("stdin", "stdout", "stderr")], ids=" ".join)
@pytest.mark.parametrize("words", [PRINTING["cache"], PRINTING["models"], FAILING["unknown"]], ids=" ".join)
def test_streams_that_the_caller_closed_change_no_code(words, streams):
    code, error = run(words, **dict.fromkeys(streams, "absent"))
    assert code == (2 if words in FAILING.values() else 0)
    assert "Traceback" not in error


@pytest.mark.parametrize("state", ["full", "broken"])
@pytest.mark.parametrize("words", FAILING.values(), ids=FAILING)
def test_an_error_that_cannot_be_told_keeps_its_code(words, state):
    assert run(words, stderr=state)[0] == 2


def test_a_mask_is_written_whatever_becomes_of_the_output(files: Files):
    code, error = run([*files.arguments(), "--mode", "forward"], stdout="full", stdin="absent")
    assert code == 1
    assert error.count("\n") == 1
    assert nib.load(files.output).shape == (40, 36, 5)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.nii", r"a\nb.nii"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("Körper \udcff", r"Körper \udcff"),
        ("a\u2028b", r"a\u2028b"),
    ],
)
def test_a_name_takes_one_line_whatever_it_holds(name, shown):
    assert one_line(name) == shown
