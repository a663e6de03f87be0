"""Downloading a published checkpoint: only when called, whole or not at all. Loads no torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import NamedTuple, TypeVar

import requests
from filelock import FileLock, Timeout

from napari_revsam2.vocabulary.errors import CheckpointError

from .checkpoint import sha256_of
from .published import PublishedCheckpoint

Progress = Callable[[int, int], None]
"""Called with the bytes that have come and the bytes of the whole (0 if unknown), every second at least; what it raises
ends the download."""

_TIMEOUT = 30
"""Seconds without an answer or a byte after which a server is taken to be down."""
_LOOK_EVERY = 1
"""Seconds after which the progress is reported though there is none, so that it can end the download."""
_CHUNK = 2**18
_SHA256_DIGITS = 64

ItemT = TypeVar("ItemT")


class _Piece(NamedTuple):
    """Some of a file."""

    start: int
    content: bytes
    total: int
    """Bytes of the whole file; 0 if unknown."""


def download(checkpoint: PublishedCheckpoint, progress: Progress) -> Path:
    """Download a checkpoint, unless its file exists and is whole; its sources are tried in turn.

    A download that broke off, or was ended by ``progress``, resumes where it stopped the next time. The file appears
    under its name when it is whole and has the right hash. Another process that wants the same file waits. Proxies are
    taken from the environment, as `requests` does. With ``NAPARI_REVSAM2_OFFLINE`` set nothing is downloaded.

    Raises
    ------
    CheckpointError
        When it can't be downloaded; says why, and which file to put where by hand.
    """
    path = checkpoint.path
    try:
        if _is_whole(checkpoint):
            return path
        if os.environ.get("NAPARI_REVSAM2_OFFLINE"):
            raise CheckpointError(f"NAPARI_REVSAM2_OFFLINE is set, so nothing is downloaded. {checkpoint.by_hand}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.with_name(path.name + ".lock"), progress):
            if not _is_whole(checkpoint):
                _from_any_source(checkpoint, progress)
    except OSError as error:  # a full disk, a folder that can't be written
        raise CheckpointError(
            f"{path} can't be written ({error.strerror or error}): make room, or set NAPARI_REVSAM2_CACHE to a folder "
            "that can be written, and try again."
        ) from error
    return path


def _is_whole(checkpoint: PublishedCheckpoint) -> bool:
    """Whether its file is on this machine, with the right hash where that is known."""
    return checkpoint.is_available and checkpoint.sha256 in ("", sha256_of(checkpoint.path))


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Be the only process that downloads meanwhile."""
    lock = FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_EVERY)
        except Timeout:
            progress(0, 0)
    try:
        yield
    finally:
        lock.release()


def _from_any_source(checkpoint: PublishedCheckpoint, progress: Progress) -> None:
    reasons = []
    for url in checkpoint.urls:
        try:
            _from_source(checkpoint, url, progress)
        except requests.RequestException as error:
            reasons.append(f"{url}: {_reason(error)}")
        else:
            return
    raise CheckpointError(f"{checkpoint.name} can't be downloaded ({'; '.join(reasons)}). {checkpoint.by_hand}")


def _from_source(checkpoint: PublishedCheckpoint, url: str, progress: Progress) -> None:
    part = checkpoint.path.with_name(checkpoint.path.name + ".part")
    sha256 = checkpoint.sha256
    if not sha256:
        (sha256,) = _read_aside(_hash_of_the_hub(url), lambda: progress(0, 0))
    _receive(url, part, progress)
    if sha256_of(part) != sha256:
        part.unlink()
        raise requests.RequestException("the downloaded file has another hash, and was deleted")
    part.replace(checkpoint.path)


def _receive(url: str, part: Path, progress: Progress) -> None:
    """Add to ``part`` what it lacks of the file at ``url``."""
    with part.open("ab") as file:
        done, total = file.tell(), 0
        with closing(_read_aside(_pieces(url, done), lambda: progress(done, total))) as pieces:
            for start, content, total in pieces:
                if start < done:  # the server sends the whole file again
                    file.truncate(start)
                file.write(content)
                done = start + len(content)
                progress(done, total)
    if done < total:  # older versions of urllib3 don't say so
        raise requests.ConnectionError("the connection broke")


def _hash_of_the_hub(url: str) -> Generator[str, None, None]:
    """Ask a Hugging Face hub for the SHA-256 of a large file: its ETag."""
    answer = requests.head(url, timeout=_TIMEOUT)  # no redirects: what they lead to has another ETag
    answer.raise_for_status()
    digest = answer.headers.get("X-Linked-ETag", "").strip('"')
    if len(digest) != _SHA256_DIGITS:
        raise requests.RequestException("the hub doesn't state the hash of the file")
    yield digest


def _pieces(url: str, start: int) -> Generator[_Piece, None, None]:
    """Ask for the file at ``url`` from byte ``start`` on; a server that can't do that sends it from the beginning."""
    headers = {"Range": f"bytes={start}-", "Accept-Encoding": "identity"}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        if start and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # it lacks nothing, or belongs to another file, which its hash shows
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            start = 0
        length = int(answer.headers.get("Content-Length", 0))
        total = start + length if length else 0
        for content in answer.iter_content(_CHUNK):
            yield _Piece(start, content, total)
            start += len(content)


def _read_aside(items: Generator[ItemT, None, None], look_up: Callable[[], None]) -> Generator[ItemT, None, None]:
    """Read items on a thread of their own, and look up every second.

    When that raises, or this generator is closed, the thread closes the items as soon as it has the next one, so that
    nothing waits for a silent server.
    """
    read: Queue[ItemT | Exception | None] = Queue(maxsize=1)
    is_closed = Event()

    def run() -> None:
        end = None
        with closing(items):
            try:
                for item in items:
                    read.put(item)
                    if is_closed.is_set():
                        return
            except Exception as error:
                end = error
        read.put(end)

    Thread(target=run, daemon=True).start()
    try:
        while True:
            try:
                item = read.get(timeout=_LOOK_EVERY)
            except Empty:
                look_up()
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        is_closed.set()
        with suppress(Empty):  # room for the last item that the thread puts
            read.get_nowait()


def _reason(error: requests.RequestException) -> str:
    answer = error.response
    return f"HTTP {answer.status_code}" if answer is not None else str(error) or type(error).__name__
