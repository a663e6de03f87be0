"""Downloading a published checkpoint: only when called, whole or not at all. Loads no torch."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar

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
_NUMBER = r"\d{1,18}"
"""Bytes, as headers say; longer ones are no sizes of files."""
_SLACK = 1.1
"""How much larger than it is known to be a file may be: its size is known in whole megabytes."""

ItemT = TypeVar("ItemT")


class _Piece(NamedTuple):
    """Some of a file."""

    start: int
    content: bytes
    total: int
    """Bytes of the whole file; 0 if unknown."""

    @property
    def end(self) -> int:
        """Where the next one starts."""
        return self.start + len(self.content)


class _SourceError(requests.RequestException):
    """What is wrong with an answer, in our own words."""


class _TooLargeError(_SourceError):
    """A file that is larger than the one that was published."""


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
    try:
        _receive(url, part, _SLACK * 10**6 * checkpoint.megabytes, progress)
    except _TooLargeError:
        part.unlink()
        raise
    if sha256_of(part) != sha256:
        part.unlink()
        raise _SourceError("the downloaded file has another hash, and was deleted")
    part.replace(checkpoint.path)


def _receive(url: str, part: Path, limit: float, progress: Progress) -> None:
    """Add to ``part`` what it lacks of the file at ``url``; _TooLargeError when that is larger than ``limit`` bytes."""
    with part.open("ab") as file:
        done, total = file.tell(), 0
        with closing(_read_aside(_pieces(url, done), lambda: progress(done, total))) as pieces:
            for piece in pieces:
                total = piece.total
                if max(piece.end, total) > limit:
                    raise _TooLargeError(f"its file has more than the {limit / 10**6:.0f} MB that are to be expected")
                if piece.start < done:  # the server sends the whole file again
                    file.truncate(piece.start)
                file.write(piece.content)
                done = piece.end
                progress(done, total)
    if done < total:  # older versions of urllib3 don't say so
        raise _SourceError("the connection broke")


def _hash_of_the_hub(url: str) -> Generator[str, None, None]:
    """Ask a Hugging Face hub for the SHA-256 of a large file: its ETag."""
    answer = requests.head(url, timeout=_TIMEOUT)  # no redirects: what they lead to has another ETag
    answer.raise_for_status()
    digest = answer.headers.get("X-Linked-ETag", "").strip('"')
    if len(digest) != _SHA256_DIGITS:
        raise _SourceError("the hub doesn't state the hash of the file")
    yield digest


def _pieces(url: str, start: int) -> Generator[_Piece, None, None]:
    """Ask for the file at ``url`` from byte ``start`` on; a server that can't do that sends it from the beginning."""
    headers = {"Range": f"bytes={start}-", "Accept-Encoding": "identity"}
    hooks = {"response": _drop_redirect}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT, hooks=hooks) as answer:
        if start and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # it lacks nothing, or belongs to another file, which its hash shows
        answer.raise_for_status()
        first = _first_byte(answer, start)
        if first is None or first not in (0, start):
            if start == 0:
                raise _SourceError("it sends another part of the file than the one that was asked for")
            yield from _pieces(url, 0)
            return
        total = _total(answer, first)
        for content in answer.iter_content(_CHUNK):
            yield _Piece(first, content, total)
            first += len(content)


def _drop_redirect(answer: requests.Response, **_: Any) -> None:
    """Close an answer that leads elsewhere; `requests` would read it first, however long it is."""
    if answer.is_redirect:
        answer.close()


def _first_byte(answer: requests.Response, asked: int) -> int | None:
    """Where in the file an answer begins when it was asked for byte ``asked`` and on; None where that can't be said."""
    if answer.status_code != requests.codes.partial_content:
        return 0
    if asked and _is_compressed(answer):
        return None  # a part of the compressed file, not of the file
    stated = answer.headers.get("Content-Range")
    if stated is None:
        return asked
    match = re.fullmatch(rf"bytes ({_NUMBER})-{_NUMBER}/(?:{_NUMBER}|\*)", stated)
    return int(match[1]) if match else None


def _total(answer: requests.Response, first: int) -> int:
    """Bytes of the whole file, of which an answer begins at byte ``first``; 0 where it states no number of them."""
    if _is_compressed(answer):
        return 0
    if match := re.fullmatch(rf"bytes .*/({_NUMBER})", answer.headers.get("Content-Range", "")):
        return int(match[1])
    length = answer.headers.get("Content-Length", "")
    return first + int(length) if re.fullmatch(_NUMBER, length) and int(length) else 0


def _is_compressed(answer: requests.Response) -> bool:
    """Whether it is sent compressed, though that wasn't asked for: its length is then another one than the file's."""
    return answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")


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
            except requests.RequestException as error:
                end = error
            except Exception as error:  # what requests and urllib3 don't foresee of an answer, such as an odd redirect
                end = _SourceError("its answer isn't valid HTTP")
                end.__cause__ = error
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


_REASONS: dict[type[requests.RequestException], str] = {
    requests.exceptions.ProxyError: "the proxy can't be reached or refuses",
    requests.exceptions.SSLError: "the certificate isn't trusted",
    requests.Timeout: f"no answer in {_TIMEOUT} seconds",
    requests.TooManyRedirects: "it redirects without end",
    requests.exceptions.ChunkedEncodingError: "the connection broke",
    requests.exceptions.ContentDecodingError: "what it sends can't be decompressed",
    requests.ConnectionError: "there is no connection, or it broke",
}
"""By kind of error, the first that fits: what an error says itself may be a server's words."""


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, _SourceError):
        return str(error)
    return next((text for kind, text in _REASONS.items() if isinstance(error, kind)), "its answer isn't valid HTTP")
