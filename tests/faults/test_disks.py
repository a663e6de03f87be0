"""Disks that are full, read-only or gone: one sentence, exit code 2, and the old files as they were."""

from __future__ import annotations

import errno
import os
import shutil
import sys

import pytest

from napari_revsam2.sam2_backend.cache import cache_folder

from .jobs import CACHE, OUTPUT, evaluate, segment, segment_with_cache
from .planted import Lost, NoHome, NoLongerFiles, ReadOnlyDisk, SmallDisk, Unchangeable
from .process import HIDDEN, Ending, run

JOBS = (segment, evaluate)
READ_ONLY = {
    "a disk": lambda folder: ReadOnlyDisk(folder),
    "EROFS": lambda folder: Unchangeable(folder, errno.EROFS),
    "EACCES": lambda folder: Unchangeable(folder, errno.EACCES),
}
linux = pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")


def assert_refused(ending: Ending, reason: str) -> None:
    """One line on standard error that says why and what to do, and exit code 2."""
    assert ending.code == 2, ending.errors
    assert ending.message.startswith("napari-revsam2: ")
    assert reason in ending.message
    assert "Errno" not in ending.message


@pytest.mark.parametrize("length", [0, 30, 200])
@pytest.mark.parametrize("job", JOBS)
def test_a_file_that_finds_no_room_leaves_the_old_one_and_no_part_of_itself(job, length, folder):
    old = dict.fromkeys(("mask.nii.gz", "tables.md"), b"old")
    for name, content in old.items():
        (folder / OUTPUT / name).write_bytes(content)
    ending = run(job, folder, NoLongerFiles(length))
    assert_refused(ending, "File too large")
    assert old.items() <= ending.files.items()
    assert not any(HIDDEN in name for name in ending.files)


@linux
@pytest.mark.parametrize("job", JOBS)
def test_a_full_disk_is_one_sentence_and_leaves_no_part_of_a_file(job, folder):
    ending = run(job, folder, SmallDisk(folder / OUTPUT, 4096))
    assert_refused(ending, "No space left on device")
    assert not any(HIDDEN in name for name in ending.files)


def test_a_full_disk_resumes_when_there_is_room(folder):
    run(evaluate, folder, NoLongerFiles(200))
    assert run(evaluate, folder).code == 0


@pytest.mark.parametrize("kind", READ_ONLY)
@pytest.mark.parametrize("job", JOBS)
def test_an_output_that_can_only_be_read_is_refused_before_the_run(job, kind, folder):
    (folder / OUTPUT / "mask.nii.gz").write_bytes(b"old")
    ending = run(job, folder, READ_ONLY[kind](folder / OUTPUT))
    assert_refused(ending, "Permission denied" if kind == "EACCES" else "Read-only file system")
    assert ending.files == {"mask.nii.gz": b"old"}


@pytest.mark.parametrize("kind", ["a disk", "EACCES"])
def test_a_run_needs_no_cache_that_can_be_written_and_reads_one_that_is_there(kind, folder):
    expected = run(segment_with_cache, folder)
    cached = len(cache_folder.embedding_files())
    assert cached == 6
    (folder / OUTPUT / "mask.nii.gz").unlink()
    assert run(segment_with_cache, folder, READ_ONLY[kind](folder / CACHE)) == expected
    shutil.rmtree(folder / CACHE)
    (folder / CACHE).mkdir()
    assert run(segment_with_cache, folder, READ_ONLY[kind](folder / CACHE)) == expected
    assert not list((folder / CACHE).iterdir())


@linux
def test_a_run_needs_no_room_in_the_cache(folder):
    expected = run(segment_with_cache, folder)
    shutil.rmtree(folder / CACHE)
    (folder / CACHE).mkdir()
    assert run(segment_with_cache, folder, SmallDisk(folder / CACHE, 8192)) == expected


@pytest.mark.parametrize("is_remembered", [True, False])
@pytest.mark.parametrize(
    ("job", "lost"),
    [
        *((segment, name) for name in ("image.nii.gz", "image_labels.nii.gz", "query.nii.gz", OUTPUT)),
        *((evaluate, name) for name in ("subject_0_labels", "subject_2.nii.gz", OUTPUT)),
    ],
)
def test_a_network_drive_that_is_lost_is_one_sentence(job, lost, is_remembered, folder):
    (folder / OUTPUT / "mask.nii.gz").write_bytes(b"old")
    ending = run(job, folder, Lost(folder / lost, errno.ESTALE, is_remembered))
    assert_refused(ending, lost)
    if is_remembered or job is segment:  # an evaluation says that the file doesn't exist
        assert os.strerror(errno.ESTALE) in ending.message
    assert ending.files.get("mask.nii.gz") == b"old"
    assert "results.csv" not in ending.files


def test_a_run_does_without_a_cache_whose_drive_is_lost(folder):
    expected = run(segment_with_cache, folder)
    assert run(segment_with_cache, folder, Lost(folder / CACHE, errno.ESTALE)) == expected


@linux
def test_a_run_needs_no_home(folder):
    assert run(segment_with_cache, folder, NoHome()) == run(segment_with_cache, folder)
