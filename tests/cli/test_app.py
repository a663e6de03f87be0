"""Words of a command line to options."""

from __future__ import annotations

import pytest

from napari_revsam2 import __version__
from napari_revsam2.cli import main

SEGMENT = ["segment", "--support", "no.nii", "no.nii", "--query", "no.nii", "--output", "mask.nii"]
EVALUATE = ["evaluate", "no folder", "--output", "results"]


@pytest.mark.parametrize("value", ["-600,1500", "-.5,.5", "-1e3,2e3"])
@pytest.mark.parametrize(
    "words", [[*SEGMENT, "--window"], [*EVALUATE, "--window"], [*EVALUATE, "--supports-from", "x", "--supports-window"]]
)
def test_a_window_may_begin_with_a_minus(words, value, capsys):
    assert main([*words, value]) == 2
    assert "exist" in capsys.readouterr().err  # the option is taken: what fails is the missing file


@pytest.mark.parametrize("joined", [False, True])
def test_slices_below_zero_are_told_from_an_option(joined, capsys):
    words = ["--slices=-3,2"] if joined else ["--slices", "-3,2"]
    assert main([*SEGMENT, *words]) == 2
    assert "no.nii" in capsys.readouterr().err


def test_an_option_that_takes_several_numbers_takes_one_below_zero_too(capsys):
    assert main([*SEGMENT, "--label", "-1", "2"]) == 2
    assert "no.nii" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert ending.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("command", ["segment", "evaluate", "demo", "models", "cache"])
def test_each_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    assert f"napari-revsam2 {command}" in capsys.readouterr().out
