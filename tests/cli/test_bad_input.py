"""Bad input ends with exit code 2, one sentence, and nothing written."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_revsam2.cli import main

from .conftest import AFFINE, Files, phantom, save

Change = Callable[[Files, Path], list[str]]


def replacing(name: str, make: Callable[[Path], Path]) -> Change:
    """A valid call in which one file is replaced by another."""
    return lambda files, folder: files.arguments(**{name: make(folder)})


def adding(*more: str) -> Change:
    """A valid call with more arguments."""
    return lambda files, _: [*files.arguments(), *more]


def text_file(folder: Path) -> Path:
    path = folder / "text.nii.gz"
    path.write_text("not an image")
    return path


def with_nan(folder: Path) -> Path:
    image = phantom()[0].astype(np.float32)
    image[3, 3, 3] = np.nan
    return save(folder / "nan.nii.gz", image)


def linked(make: Callable[[Path, Path], None], folder: Path, target: Path) -> Path:
    """Another name of a file."""
    make(target, folder / "other.nii.gz")
    return folder / "other.nii.gz"


def foreign_weights(folder: Path) -> list[str]:
    path = folder / "resnet.safetensors"
    save_file({"conv1.weight": torch.zeros(3)}, path)
    return ["--checkpoint", str(path)]


def truncated_weights(folder: Path) -> list[str]:
    path = folder / "cut.safetensors"
    save_file({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:500])
    return ["--checkpoint", str(path)]


def truncated_pt(folder: Path) -> list[str]:
    path = folder / "cut.pt"
    torch.save({"model": {"a": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:700])
    return ["--checkpoint", str(path)]


class Boom:
    def __reduce__(self):
        return (Path.touch, (Path("code_was_run"),))


def pickled_code(folder: Path) -> list[str]:
    path = folder / "evil.pt"
    path.write_bytes(pickle.dumps({"model": Boom()}))
    return ["--checkpoint", str(path)]


CASES: dict[str, tuple[Change, str]] = {
    "missing file": (replacing("query", lambda d: d / "none.nii.gz"), "none.nii.gz doesn't exist"),
    "missing labels": (replacing("labels", lambda d: d / "none.nii.gz"), "none.nii.gz doesn't exist"),
    "not an image": (replacing("image", text_file), "text.nii.gz"),
    "a folder": (replacing("query", lambda d: d), "is a folder"),
    "unknown ending": (replacing("query", lambda d: d / "query.png"), "query.png"),
    "other shape": (replacing("labels", lambda d: save(d / "small.nii.gz", phantom(4)[1])), "small.nii.gz"),
    "other affine": (
        replacing("labels", lambda d: save(d / "moved.nii.gz", phantom()[1], AFFINE + np.eye(4)[:, [1, 2, 0, 3]])),
        "moved.nii.gz",
    ),
    "labels not integers": (
        replacing("labels", lambda d: save(d / "soft.nii.gz", phantom()[1] * np.float32(0.5))),
        "soft.nii.gz has labels that aren't integers",
    ),
    "nothing painted": (
        replacing("labels", lambda d: save(d / "empty.nii.gz", phantom()[1] * 0)),
        "empty.nii.gz has no labelled slice",
    ),
    "class not there": (adding("--label", "9"), "labels.nii.gz: choose one that is ("),
    "slice out of range": (adding("--slices", "2,77"), "labels.nii.gz: There is no slice 77"),
    "slice not annotated": (
        adding("--slices", "0"),
        "labels.nii.gz: Slice 0 of support volume 1 isn't annotated: choose from",
    ),
    "N below one": (adding("--n-support", "0"), "at least 1"),
    "k below one": (adding("--top-k", "0"), "at least 1"),
    "N above the annotated": (adding("--n-support", "30"), "only 4 slices are annotated in"),
    "NaN voxels": (replacing("query", with_nan), "nan.nii.gz has NaN"),
    "constant query": (
        replacing("query", lambda d: save(d / "flat.nii.gz", np.full((9, 9, 4), 7, np.int16))),
        "flat.nii.gz is a constant image",
    ),
    "unknown window": (adding("--window", "sharp"), "'sharp' isn't known"),
    "inverted window": (adding("--window", "percentile:99,1"), "isn't known"),
    "nearly a checkpoint": (adding("--checkpoint", "sam2-hiera-tini"), "did you mean sam2-hiera-tiny or"),
    "unknown checkpoint": (adding("--checkpoint", "sam3"), "no checkpoint 'sam3'"),
    "checkpoint that doesn't ship": (adding("--checkpoint", "sam2-hiera-tiny"), "models download"),
    "foreign checkpoint": (lambda f, d: [*f.arguments(), *foreign_weights(d)], "another architecture"),
    "truncated checkpoint": (lambda f, d: [*f.arguments(), *truncated_weights(d)], "cut.safetensors"),
    "truncated pickle checkpoint": (lambda f, d: [*f.arguments(), *truncated_pt(d)], "cut.pt"),
    "checkpoint that would run code": (lambda f, d: [*f.arguments(), *pickled_code(d)], "evil.pt"),
    "unknown device": (adding("--device", "abacus"), "'abacus' isn't known"),
    "output folder missing": (lambda f, d: f.arguments(output=d / "no" / "mask.nii.gz"), "folder doesn't exist"),
    "output of unknown kind": (lambda f, d: f.arguments(output=d / "mask.jpg"), "mask.jpg can't be written"),
    "scores folder missing": (lambda f, d: [*f.arguments(), "--scores", str(d / "no" / "s.csv")], "s.csv"),
    "output over the labels": (lambda f, _: f.arguments(output=f.labels), "is also an input"),
    "scores over the mask": (lambda f, _: [*f.arguments(), "--scores", str(f.output)], "another output"),
    "figure over the scores": (
        lambda f, d: [*f.arguments(), "--scores", str(d / "s.png"), "--figure", str(d / "s.png")],
        "s.png is also an input or another output",
    ),
    "scores over the checkpoint": (
        lambda f, d: [*f.arguments(), *foreign_weights(d), "--scores", str(d / "resnet.safetensors")],
        "resnet.safetensors is also an input",
    ),
    "output over a hard link to the query": (
        lambda f, d: f.arguments(output=linked(os.link, d, f.query)),
        "other.nii.gz is also an input",
    ),
    "output over a link to the labels": (
        lambda f, d: f.arguments(output=linked(os.symlink, d, f.labels)),
        "other.nii.gz is also an input",
    ),
    "figure over the scores in other letters": (
        lambda f, d: [*f.arguments(), "--scores", str(d / "s.png"), "--figure", str(d / "S.PNG")],
        "S.PNG is also an input or another output",
    ),
    "scores in the folder of the query": (
        lambda f, d: [*f.arguments(query=d / "series", output=f.output), "--scores", str(d / "series" / "IM3.dcm")],
        "series, which is a folder that is read as a whole",
    ),
    "figure in the folder of the labels": (
        lambda f, d: [*f.arguments(labels=d / "series"), "--figure", str(d / "series" / "slice.png")],
        "series, which is a folder that is read as a whole",
    ),
    "a name that is too long": (lambda f, d: f.arguments(output=d / ("a" * 300 + ".nii")), "can't be written"),
    "a label too large to write": (
        replacing("labels", lambda d: save(d / "large.nii.gz", phantom()[1] * np.int32(70000))),
        "can't hold label 140000",
    ),
    "a window of no width": (adding("--window", "40,1e-20"), "isn't known"),
    "a window of no kind": (adding("--window", ":40,400"), "isn't known"),
    "a checkpoint's name that is too long": (adding("--checkpoint", "x" * 5000), "can't be read (File name too long)"),
    "figure of unknown kind": (lambda f, d: [*f.arguments(), "--figure", str(d / "f.xyz")], "name ends in .png"),
    "figure without an ending": (lambda f, d: [*f.arguments(), "--figure", str(d / "f")], "name ends in .png"),
    "truth on another grid": (
        lambda f, d: [*f.arguments(), "--truth", str(save(d / "t.nii.gz", phantom(3)[1]))],
        "t.nii.gz",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_sentence(
    case: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    change, expected = CASES[case]
    (tmp_path / "series").mkdir()
    arguments = change(files, tmp_path)
    files.output.write_text("what was there")
    before = sorted(tmp_path.rglob("*"))

    assert main(arguments) == 2

    message = capsys.readouterr().err
    assert expected in message
    assert message.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert files.output.read_text() == "what was there"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_replaced_by_a_file(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert main([*files.arguments(), "--scores", str(pipe)]) == 2
    assert "isn't a regular file" in capsys.readouterr().err
    assert pipe.is_fifo()

    pipe = tmp_path / "pipe.tif"
    os.mkfifo(pipe)
    assert main(files.arguments(query=pipe)) == 2
    assert "is a device or a pipe" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_that_leads_to_itself_is_one_sentence(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop.nii"
    loop.symlink_to(loop)
    assert main(files.arguments(query=loop)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_slices_for_one_of_two_supports_are_refused(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    second = ["--support", str(files.image), str(files.labels)]
    assert main([*files.arguments(), *second, "--slices", "2"]) == 2
    assert "1 of 2 support volumes" in capsys.readouterr().err


def test_too_little_memory_for_a_volume_is_one_sentence(
    files: Files, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("napari_revsam2.cli.segment.open_problem", refuse)
    assert main(files.arguments()) == 2
    message = capsys.readouterr().err
    assert "memory isn't enough" in message
    assert message.count("\n") == 1


def test_ctrl_c_ends_without_a_traceback(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_revsam2.cli.segment.open_problem", interrupt)
    assert main(files.arguments()) == 130


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--output", ""], "argument --output: a name is needed"),
        (["--checkpoint", ""], "argument --checkpoint: a name is needed"),
        (["--query", "a\0b.nii"], "argument --query: 'a\\x00b.nii' has a character that no name can have"),
        (["--scores", "\ud800.csv"], "argument --scores: '\\ud800.csv' has a character"),
        (["--label", "1e400"], "argument --label: '1e400' isn't a whole number"),
        (["--label", "9" * 5000], "argument --label: '9999"),
        (["--slices", "3,nan"], "argument --slices: '3,nan' isn't a list of slice numbers"),
        (["--slices", "9" * 20], "argument --slices: '99999999999999999999' isn't a list"),
        (["--seed", "4294967296"], "argument --seed: '4294967296' isn't a whole number up to 4294967295"),
        (["--mode", "magic"], "argument --mode: Mode 'magic' isn't known: choose one of revsam2, forward, fifo"),
        (["--out\nput", "x"], r"--out\nput"),
        (["evaluate", "--output", "x", "d", "--groups", "1001"], "isn't a whole number from 1 to 1000"),
        (["evaluate", "--output", "x", "d", "--workers", "9" * 5000], "isn't a whole number from 1 to 1000"),
        (["evaluate", "--output", "x", "d", "--tolerance", "nan"], "argument --tolerance: 'nan' isn't a number from 0"),
        (["evaluate", "--output", "x", "d", "--window", ""], "argument --window: a name is needed"),
        (["evaluate", "--output", "x", "d", "--description", ""], "argument --description: a name is needed"),
        (["models", "where", ""], "argument NAME: a name is needed"),
        (["demo", "--output", ""], "argument --output: a name is needed"),
    ],
)
def test_a_value_that_no_option_takes_is_one_line_that_names_the_option(words, named, files, capsys):
    segment = files.arguments()
    with pytest.raises(SystemExit) as stop:
        main(words if words[0][0] != "-" else [*segment, *words])
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert named in message
    assert message.count("\n") == 1
    assert len(message) < 300


@pytest.mark.parametrize(
    ("name", "shown"),
    [("new\nline", r"new\nline"), ("escape\x1b[2J", r"escape\x1b[2J"), ("bytes\udcff", r"bytes\udcff")],
)
def test_a_file_with_an_odd_name_is_told_of_in_one_line(name, shown, files, tmp_path, capsys):
    assert main(files.arguments(query=tmp_path / f"{name}.nii.gz")) == 2
    message = capsys.readouterr().err
    assert f"{shown}.nii.gz doesn't exist" in message
    assert message.removesuffix("\n").isprintable()


@pytest.mark.parametrize("arguments", [["segment"], ["segment", "--mode", "magic"], ["unheard-of"], []])
def test_a_call_that_cannot_be_parsed_ends_with_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
