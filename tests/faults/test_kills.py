"""A process that is killed at any of its writes leaves each file old or new, and nothing that a later run believes."""

from __future__ import annotations

import csv
import io
import shutil
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import torch

from napari_revsam2.plugin.files.session_file import load_session
from napari_revsam2.sam2_backend.sam2_memory import SliceEmbeddings

from .jobs import CACHE, OUTPUT, Job, embedding, embedding_files, evaluate, save_a_session, save_an_embedding, segment
from .planted import Killed, Torn
from .process import HIDDEN, Ending, run


def killed_at_each_write(job: Job, folder: Path, tmp_path: Path) -> Iterator[tuple[Path, Ending]]:
    """Do a job in copies of its folder, killed at its first change of the output, its second, and so on."""
    for number in count(1):
        copy = shutil.copytree(folder, tmp_path / f"{number}")
        ending = run(job, copy, Killed(copy / OUTPUT, number))
        if ending.code == 0:
            assert number > 2
            return
        assert ending.code == -signal.SIGKILL
        yield copy, ending


def test_a_killed_segment_leaves_each_output_old_or_new_and_the_mask_comes_last(folder, tmp_path):
    new = run(segment, shutil.copytree(folder, tmp_path / "new")).files
    old = dict.fromkeys(new, b"old")
    for name in new:
        (folder / OUTPUT / name).write_bytes(b"old")
    for _, ending in killed_at_each_write(segment, folder, tmp_path):
        found = {name: data for name, data in ending.files.items() if not name.startswith(HIDDEN)}
        assert found.keys() == new.keys()
        assert all(data in (old[name], new[name]) for name, data in found.items())
        if found["mask.nii.gz"] == new["mask.nii.gz"]:
            assert found == new


def test_a_killed_save_leaves_the_old_session_or_the_new_one(folder, tmp_path):
    saved, old = folder / OUTPUT / "session.npz", b"old"
    saved.write_bytes(old)
    for copy, ending in killed_at_each_write(save_a_session, folder, tmp_path):
        if ending.files["session.npz"] != old:
            assert load_session(copy / OUTPUT / "session.npz").run is not None


def test_a_killed_evaluation_resumes_to_the_results_of_one_that_was_not(folder, tmp_path):
    expected = run(evaluate, shutil.copytree(folder, tmp_path / "whole")).files
    for copy, _ in killed_at_each_write(evaluate, folder, tmp_path):
        assert results(run(evaluate, copy)) == results_of(expected)


@pytest.mark.parametrize("n_bytes", [1, 100, 300])
@pytest.mark.parametrize("name", ["results.csv", "slices.csv"])
def test_an_evaluation_killed_within_a_line_resumes_to_the_results_of_one_that_was_not(name, n_bytes, folder, tmp_path):
    expected = run(evaluate, shutil.copytree(folder, tmp_path / "whole")).files
    ending = run(evaluate, folder, Torn(folder / OUTPUT / name, n_bytes))
    assert ending.code == -signal.SIGXFSZ
    assert len(ending.files[name]) == n_bytes
    assert results(run(evaluate, folder)) == results_of(expected)


def results(ending: Ending) -> dict[str, object]:
    assert (ending.code, ending.errors) == (0, "")
    return results_of(ending.files)


def results_of(files: dict[str, bytes]) -> dict[str, object]:
    """What an evaluation leaves, but for unfinished files and the seconds that it took."""
    whole = {name: data for name, data in files.items() if HIDDEN not in name}
    rows = list(csv.DictReader(io.StringIO(whole["results.csv"].decode(), newline="")))
    slices = {tuple(row.items()) for row in csv.DictReader(io.StringIO(whole["slices.csv"].decode(), newline=""))}
    timed = ("results.csv", "slices.csv", "tables.md", "report.html")
    return {
        **{name: data for name, data in whole.items() if name not in timed},
        "tables": bool(whole["tables.md"] and whole["report.html"]),
        "rows": sorted(str({**row, "seconds": ""}) for row in rows),
        "slices": slices,
    }


def test_a_killed_writer_of_an_embedding_leaves_the_whole_one_or_none(folder):
    cache = folder / CACHE
    for number in count(1):
        shutil.rmtree(cache, ignore_errors=True)
        ending = run(save_an_embedding, folder, Killed(cache, number))
        files = embedding_files()
        found = files.load("slice") if "slice" in files else None
        assert found is None or is_whole(found)
        if ending.code == 0:
            assert found is not None
            return
        assert ending.code == -signal.SIGKILL


def is_whole(found: SliceEmbeddings) -> bool:
    return all(torch.equal(tensor, getattr(embedding(), name)) for name, tensor in vars(found).items())
