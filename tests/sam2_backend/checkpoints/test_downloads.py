"""Downloads from a local server that fails as servers do; what comes goes through the real loader."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import torch
from filelock import FileLock

from napari_revsam2.sam2_backend.checkpoints import downloads
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.checkpoints.downloads import download
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint, checkpoint_folder
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.vocabulary.errors import CheckpointError

from .checkpoint_server import CheckpointServer, serving

NAME = "sam2.1-hiera-tiny"


@pytest.fixture(scope="module")
def weights() -> bytes:
    """A file as Meta publishes them: SAM 2.1 tiny with random weights."""
    torch.manual_seed(0)
    architecture = next(a for a in ARCHITECTURES if a.name == NAME)
    file = io.BytesIO()
    torch.save({"model": architecture.build(image_size=128).state_dict()}, file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for downloads."""
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path))
    monkeypatch.delenv("NAPARI_REVSAM2_OFFLINE", raising=False)
    return checkpoint_folder()


@pytest.fixture
def server() -> Iterator[CheckpointServer]:
    """Serve a file that is quickly there."""
    with serving(random.Random(0).randbytes(4 * 10**6)) as server:
        yield server


@pytest.fixture
def publish(server: CheckpointServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], PublishedCheckpoint]:
    """Let that server publish a file as SAM 2.1 tiny."""

    def publish(content: bytes) -> PublishedCheckpoint:
        server.content = content
        checkpoint = replace(PUBLISHED[NAME], urls=(server.url,), sha256=hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(PUBLISHED, NAME, checkpoint)
        return checkpoint

    return publish


@pytest.fixture
def checkpoint(server: CheckpointServer, publish: Callable[[bytes], PublishedCheckpoint]) -> PublishedCheckpoint:
    """SAM 2.1 tiny as if its file were the server's."""
    return publish(server.content)


def ignore(done: int, total: int) -> None:
    """Take no interest in the progress."""


def test_a_downloaded_checkpoint_is_loaded_by_its_name(
    weights: bytes, publish: Callable[[bytes], PublishedCheckpoint]
) -> None:
    told: list[tuple[int, int]] = []
    path = download(publish(weights), lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert told[-1] == (size, size)
    assert [p.name for p in path.parent.iterdir() if p.suffix != ".lock"] == ["weights.pt"]
    assert load_model(NAME, image_size=128).image_size == 128


def test_what_is_available_is_not_fetched_again(checkpoint: PublishedCheckpoint, server: CheckpointServer) -> None:
    download(checkpoint, ignore)
    download(checkpoint, ignore)
    assert len(server.ranges) == 1


def test_after_a_broken_connection_it_resumes_where_it_stopped(
    checkpoint: PublishedCheckpoint, server: CheckpointServer
) -> None:
    server.breaks_after = 3 * 2**20
    with pytest.raises(CheckpointError, match=r"can't be downloaded .* By hand: put the file from http"):
        download(checkpoint, ignore)
    assert not checkpoint.is_available
    server.breaks_after = None
    assert download(checkpoint, ignore).read_bytes() == server.content
    assert server.ranges[0] == "bytes=0-"
    assert int(server.ranges[1].removeprefix("bytes=").rstrip("-")) > 0


def test_a_canceled_download_leaves_no_file_and_resumes_later(
    checkpoint: PublishedCheckpoint, server: CheckpointServer
) -> None:
    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(checkpoint, cancel)
    assert not checkpoint.is_available
    download(checkpoint, ignore)
    assert server.ranges[1] == f"bytes={2**18}-"


def test_a_file_with_another_hash_is_deleted(checkpoint: PublishedCheckpoint, server: CheckpointServer) -> None:
    right, server.content = server.content, b"something else"
    with pytest.raises(CheckpointError, match="another hash"):
        download(checkpoint, ignore)
    assert not checkpoint.is_available
    server.content = right
    assert download(checkpoint, ignore).read_bytes() == right
    assert server.ranges[1] == "bytes=0-"


def test_a_part_that_was_whole_when_its_process_was_killed_is_enough(
    checkpoint: PublishedCheckpoint, server: CheckpointServer, cache: Path
) -> None:
    cache.mkdir()
    (cache / "weights.pt.part").write_bytes(server.content)
    assert download(checkpoint, ignore).read_bytes() == server.content


def test_a_connection_that_breaks_in_silence_costs_nothing_that_is_available(
    checkpoint: PublishedCheckpoint, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.Response, "iter_content", lambda *_: iter([b"start"]))
    with pytest.raises(CheckpointError, match="the connection broke"):
        download(checkpoint, ignore)
    assert (cache / "weights.pt.part").read_bytes() == b"start"


def test_download_replaces_a_file_that_is_damaged(checkpoint: PublishedCheckpoint, server: CheckpointServer) -> None:
    checkpoint.path.parent.mkdir()
    checkpoint.path.write_bytes(server.content[:1000])
    assert download(checkpoint, ignore).read_bytes() == server.content


def test_a_part_that_is_longer_than_the_file_is_thrown_away(
    checkpoint: PublishedCheckpoint, server: CheckpointServer, cache: Path
) -> None:
    cache.mkdir()
    (cache / "weights.pt.part").write_bytes(bytes(len(server.content) + 1))
    with pytest.raises(CheckpointError, match="another hash"):
        download(checkpoint, ignore)
    assert download(checkpoint, ignore).read_bytes() == server.content


def test_the_second_source_is_asked_when_the_first_fails(
    checkpoint: PublishedCheckpoint, server: CheckpointServer
) -> None:
    with serving(server.content) as broken:
        broken.status = 503
        both = replace(checkpoint, urls=(broken.url, *checkpoint.urls))
        assert download(both, ignore).read_bytes() == server.content
        assert broken.ranges


def test_the_hash_of_a_hub_is_asked_for_where_none_is_known(
    checkpoint: PublishedCheckpoint, server: CheckpointServer
) -> None:
    unknown = replace(checkpoint, sha256="")
    with pytest.raises(CheckpointError, match="doesn't state the hash"):
        download(unknown, ignore)
    server.etag = "0" * 64
    with pytest.raises(CheckpointError, match="another hash"):
        download(unknown, ignore)
    server.etag = checkpoint.sha256
    assert download(unknown, ignore).read_bytes() == server.content


def test_a_full_disk_is_one_sentence(checkpoint: PublishedCheckpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(downloads, "_receive", full)
    with pytest.raises(CheckpointError, match=r"No space left on device\): make room"):
        download(checkpoint, ignore)
    assert not checkpoint.is_available


SECONDS_TO_CANCEL = 2


@pytest.mark.parametrize("silent", ["may_answer", "may_end"])
def test_a_download_from_a_silent_server_is_canceled_at_once(
    silent: str, checkpoint: PublishedCheckpoint, server: CheckpointServer
) -> None:
    def cancel_later(done: int, total: int) -> None:
        if time.monotonic() > began + 0.5:
            raise KeyboardInterrupt

    getattr(server, silent).clear()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        download(checkpoint, cancel_later)
    assert time.monotonic() < began + 0.5 + SECONDS_TO_CANCEL
    getattr(server, silent).set()
    assert download(checkpoint, ignore).read_bytes() == server.content


def test_a_download_that_waits_for_another_process_is_canceled_at_once(
    checkpoint: PublishedCheckpoint, cache: Path
) -> None:
    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    cache.mkdir()
    began = time.monotonic()
    with FileLock(cache / "weights.pt.lock"), pytest.raises(KeyboardInterrupt):
        download(checkpoint, cancel)
    assert time.monotonic() < began + SECONDS_TO_CANCEL


def test_a_proxy_of_the_environment_is_asked(
    checkpoint: PublishedCheckpoint, server: CheckpointServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    beyond = replace(checkpoint, urls=("http://no-such-host.invalid/weights.pt",))
    assert download(beyond, ignore).read_bytes() == server.content


def test_offline_nothing_is_asked_and_it_is_said_which_file_to_put_where(
    checkpoint: PublishedCheckpoint, server: CheckpointServer, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv("NAPARI_REVSAM2_OFFLINE", "1")
    with pytest.raises(CheckpointError) as told:
        download(checkpoint, ignore)
    assert f"put the file from {server.url} at {cache / 'weights.pt'}" in str(told.value)
    assert server.ranges == []


def test_two_at_once_fetch_it_once(checkpoint: PublishedCheckpoint, server: CheckpointServer) -> None:
    threads = [threading.Thread(target=download, args=(checkpoint, ignore)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.ranges) == 1
    assert checkpoint.path.read_bytes() == server.content


@pytest.mark.parametrize("silent", ["may_answer", "may_end", ""])
def test_a_download_that_ends_early_closes_its_connection_and_ends_its_thread(
    silent: str, checkpoint: PublishedCheckpoint, server: CheckpointServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[requests.Response] = []
    get = requests.get

    def remembered(*args: Any, **settings: Any) -> requests.Response:
        answers.append(get(*args, **settings))
        return answers[-1]

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(requests, "get", remembered)
    before = set(threading.enumerate())
    if silent:
        getattr(server, silent).clear()
    with pytest.raises(KeyboardInterrupt):
        download(checkpoint, cancel)
    server.may_answer.set()
    server.may_end.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    assert [answer.raw.closed for answer in answers] == [True]


def test_a_server_that_knows_no_ranges_sends_the_file_again(
    checkpoint: PublishedCheckpoint, server: CheckpointServer, cache: Path
) -> None:
    server.knows_ranges = False
    cache.mkdir()
    (cache / "weights.pt.part").write_bytes(b"of an earlier try")
    assert download(checkpoint, ignore).read_bytes() == server.content
    assert server.ranges == [f"bytes={len(b'of an earlier try')}-"]


@pytest.mark.parametrize("function", ["mkdir", "open"])
def test_a_folder_that_cannot_be_written_is_one_sentence(
    function: str, checkpoint: PublishedCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, function, refuse)
    with pytest.raises(CheckpointError, match=r"weights.pt can't be written \(Permission denied\)"):
        download(checkpoint, ignore)
