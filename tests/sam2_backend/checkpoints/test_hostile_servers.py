"""Servers and proxies whose answers are odd: the right file, or one sentence and a bounded part."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_revsam2.sam2_backend.checkpoints.downloads import download
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED, PublishedCheckpoint
from napari_revsam2.vocabulary.errors import CheckpointError

from .checkpoint_server import CheckpointServer, serving

# A server that breaks off may leave its own socket to the garbage collector, which warns in whatever test it runs.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CONTENT = random.Random(0).randbytes(10**6)
LIMIT = 1.1 * 10**6


@pytest.fixture
def server() -> Iterator[CheckpointServer]:
    with serving(CONTENT) as server:
        yield server


@pytest.fixture
def checkpoint(server: CheckpointServer) -> PublishedCheckpoint:
    """A file of 1 MB on that server."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    return replace(PUBLISHED["sam2.1-hiera-tiny"], urls=(server.url,), sha256=digest, megabytes=1)


@pytest.fixture
def part(checkpoint: PublishedCheckpoint) -> Path:
    """Where a download that broke off is kept; its folder exists."""
    checkpoint.path.parent.mkdir(parents=True)
    return checkpoint.path.with_name(checkpoint.path.name + ".part")


def ignore(done: int, total: int) -> None:
    """Take no interest in the progress."""


def refused(checkpoint: PublishedCheckpoint) -> str:
    """Why a download fails; nothing beyond the file's size is left."""
    with pytest.raises(CheckpointError) as told:
        download(checkpoint, ignore)
    assert not checkpoint.is_available
    for path in checkpoint.path.parent.iterdir():
        assert path.stat().st_size <= LIMIT
    text = str(told.value)
    assert text.isprintable()
    return text.partition(checkpoint.urls[0] + ": ")[2].partition("). By hand")[0]


@pytest.mark.parametrize(
    "address",
    [
        *("http://[", "http://[::1", "//[", "http://a:b/", "http://127.0.0.1:99999/", "http://:80", "http://", "%"),
        *("file:///etc/passwd", "ftp://127.0.0.1/", "data:,x", "javascript:1", "http://\x1b[31m.invalid/", "http:///"),
        *("http://a..b/", "http://" + "a" * 300 + "/", "http://\xe4\xff.invalid/", "http://%zz/", "http://\xad/"),
        "?" + "a" * 70000,
    ],
)
def test_a_redirect_to_what_is_no_address_is_one_sentence(
    address: str, server: CheckpointServer, checkpoint: PublishedCheckpoint
) -> None:
    server.redirect = address
    assert refused(checkpoint)
    server.redirect = None
    assert download(checkpoint, ignore).read_bytes() == CONTENT


def test_a_redirect_without_end_is_one_sentence(server: CheckpointServer, checkpoint: PublishedCheckpoint) -> None:
    server.redirect = "/again"
    assert refused(checkpoint) == "it redirects without end"


def test_the_body_of_a_redirect_is_not_read(server: CheckpointServer, checkpoint: PublishedCheckpoint) -> None:
    server.redirect, server.is_endless = "http://127.0.0.1:1/", True
    reasons: list[str] = []
    thread = threading.Thread(target=lambda: reasons.append(refused(checkpoint)), daemon=True)
    thread.start()
    thread.join(10)
    server.is_endless = False
    assert reasons == ["there is no connection, or it broke"]
    assert server.sent < 2**24  # what fits into the buffers of the connection


@pytest.mark.parametrize("length", ["", "abc", "-1", "-5000000", "0x10", "1e6", "1000000, 1000000", "9" * 5000])
def test_a_length_that_is_none_does_not_matter(
    length: str, server: CheckpointServer, checkpoint: PublishedCheckpoint
) -> None:
    server.stated = {"Content-Length": length}
    assert download(checkpoint, ignore).read_bytes() == CONTENT


TWO = pytest.param("5000000, 7", marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
"""On which urllib3 forgets to close its socket."""


@pytest.mark.parametrize("length", [TWO, "1200000", "99999999999", "9" * 18, "999999", "10", "0"])
def test_another_length_is_one_sentence(length: str, server: CheckpointServer, checkpoint: PublishedCheckpoint) -> None:
    server.stated = {"Content-Length": length}
    assert refused(checkpoint)
    server.stated = {}
    assert download(checkpoint, ignore).read_bytes() == CONTENT


def test_a_body_without_length_or_end_is_read_no_further_than_the_file_may_be_long(
    server: CheckpointServer, checkpoint: PublishedCheckpoint, part: Path
) -> None:
    server.stated, server.is_endless = {"Content-Length": ""}, True
    assert refused(checkpoint) == "its file has more than the 1 MB that are to be expected"
    assert not part.exists()


def test_a_part_that_is_too_long_is_thrown_away(
    server: CheckpointServer, checkpoint: PublishedCheckpoint, part: Path
) -> None:
    part.write_bytes(bytes(2 * 10**6))
    server.content = bytes(3 * 10**6)
    assert "more than the 1 MB" in refused(checkpoint)
    assert not part.exists()


def test_a_file_that_is_sent_compressed_is_complete_the_first_time(
    server: CheckpointServer, checkpoint: PublishedCheckpoint
) -> None:
    server.is_compressed = True
    assert download(checkpoint, ignore).read_bytes() == CONTENT


def test_after_a_break_a_file_that_is_sent_compressed_is_asked_for_from_its_beginning(
    server: CheckpointServer, checkpoint: PublishedCheckpoint, part: Path
) -> None:
    server.is_compressed, server.breaks_after = True, 800_000
    assert "broke" in refused(checkpoint)
    assert 0 < (size := part.stat().st_size) < 10**6
    server.breaks_after = None
    assert download(checkpoint, ignore).read_bytes() == CONTENT
    assert server.ranges == ["bytes=0-", f"bytes={size}-", "bytes=0-"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_what_is_not_compressed_as_stated_is_one_sentence(
    encoding: str, server: CheckpointServer, checkpoint: PublishedCheckpoint
) -> None:
    server.stated = {"Content-Encoding": encoding}
    assert refused(checkpoint) == "what it sends can't be decompressed"
    server.stated = {}
    assert download(checkpoint, ignore).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "stated",
    [
        *("bytes 5-999999/1000000", "bytes 999999-999999/1000000", "bytes -5-9/10", "bytes 1-2", "bytes */1000000"),
        *("items 3000-999999/1000000", "3000", "bytes x-y/z", f"bytes {'9' * 5000}-1/1", "bytes=3000-999999/1000000"),
    ],
)
def test_where_the_range_is_another_than_the_one_asked_for_the_whole_file_is(
    stated: str, server: CheckpointServer, checkpoint: PublishedCheckpoint, part: Path
) -> None:
    part.write_bytes(CONTENT[:3000])
    server.stated = {"Content-Range": stated}
    assert download(checkpoint, ignore).read_bytes() == CONTENT
    assert server.ranges == ["bytes=3000-", "bytes=0-"]


@pytest.mark.parametrize("total", ["1200000", "9" * 18])
def test_a_range_of_a_larger_file_is_one_sentence(
    total: str, server: CheckpointServer, checkpoint: PublishedCheckpoint, part: Path
) -> None:
    part.write_bytes(CONTENT[:3000])
    server.stated = {"Content-Range": f"bytes 3000-999999/{total}"}
    assert "more than the 1 MB" in refused(checkpoint)
    server.stated = {}
    assert download(checkpoint, ignore).read_bytes() == CONTENT
