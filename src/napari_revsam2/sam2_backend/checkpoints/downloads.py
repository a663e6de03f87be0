"""Downloading a published checkpoint: only when called, whole or not at all. Loads no torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pooch
import requests
from filelock import FileLock, Timeout

from napari_revsam2.vocabulary.errors import CheckpointError

from .published import PublishedCheckpoint, by_hand

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes of the whole (0 if unknown), every second at least; what it raises
ends the download."""

ResultT = TypeVar("ResultT")

_TIMEOUT = 30
"""Seconds without an answer or a byte after which a server is given up."""
_LOOK_EVERY = 1
"""Seconds after which the progress is told though there is none, so that it can end the download."""
_CHUNK = 2**18
_SHA256_DIGITS = 64


def download(checkpoint: PublishedCheckpoint, progress: Progress) -> Path:
    """Download a checkpoint, unless it is here and whole; its sources are tried in turn.

    A download that broke off, or was ended by ``progress``, goes on where it stopped the next time. The file appears
    under its name when it is whole and has the right hash. Another process that wants the same file waits. Proxies are
    taken from the environment, as `requests` does. With ``NAPARI_REVSAM2_OFFLINE`` set nothing is fetched.

    Raises
    ------
    CheckpointError
        When it can't be had; says why, and which file to put where by hand.
    """
    path = checkpoint.path
    try:
        if _is_whole(checkpoint):
            return path
        if os.environ.get("NAPARI_REVSAM2_OFFLINE"):
            raise CheckpointError(f"NAPARI_REVSAM2_OFFLINE is set, so nothing is fetched. {by_hand(checkpoint)}")
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
    """Whether its file is here, with the right hash where that is known."""
    return checkpoint.is_here and checkpoint.sha256 in ("", pooch.file_hash(checkpoint.path))


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
    raise CheckpointError(f"{checkpoint.name} can't be downloaded ({'; '.join(reasons)}). {by_hand(checkpoint)}")


def _from_source(checkpoint: PublishedCheckpoint, url: str, progress: Progress) -> None:
    part = checkpoint.path.with_name(checkpoint.path.name + ".part")
    sha256 = checkpoint.sha256 or _awaited(partial(_hash_of_the_hub, url), partial(progress, 0, 0))
    _receive(url, part, progress)
    if pooch.file_hash(part) != sha256:
        part.unlink()
        raise requests.RequestException("the file that came has another hash, and was thrown away")
    part.replace(checkpoint.path)


def _hash_of_the_hub(url: str) -> str:
    """Ask a Hugging Face hub for the SHA-256 of a large file: its ETag."""
    answer = requests.head(url, timeout=_TIMEOUT)  # no redirects: what they lead to has another ETag
    answer.raise_for_status()
    digest = answer.headers.get("X-Linked-ETag", "").strip('"')
    if len(digest) != _SHA256_DIGITS:
        raise requests.RequestException("the hub doesn't tell the hash of the file")
    return digest


def _receive(url: str, part: Path, progress: Progress) -> None:
    """Add to ``part`` what it lacks of the file at ``url``."""
    here = part.stat().st_size if part.exists() else 0
    answer = _awaited(partial(_ask, url, here), partial(progress, here, 0))
    if here and answer.status_code == requests.codes.requested_range_not_satisfiable:
        return  # it lacks nothing, or is another file's: its hash tells
    answer.raise_for_status()
    if answer.status_code != requests.codes.partial_content:
        here = 0
    length = int(answer.headers.get("Content-Length", 0))
    total = here + length if length else 0
    chunks = answer.iter_content(_CHUNK)
    with part.open("ab" if here else "wb") as file:
        while chunk := _awaited(partial(next, chunks, b""), partial(progress, here, total)):
            file.write(chunk)
            here += len(chunk)
            progress(here, total)
    answer.close()
    if here < total:  # older versions of urllib3 don't say so
        raise requests.ConnectionError("the connection broke")


def _ask(url: str, start: int) -> requests.Response:
    headers = {"Range": f"bytes={start}-", "Accept-Encoding": "identity"}
    answer = requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
    if not answer.ok:
        answer.close()
    return answer


def _awaited(call: Callable[[], ResultT], look_up: Callable[[], None]) -> ResultT:
    """Call on a thread of its own, and look up every second; when that raises, the call is left to end by itself."""
    future: Future[ResultT] = Future()
    Thread(target=_settle, args=(future, call), daemon=True).start()
    while not wait([future], _LOOK_EVERY).done:
        look_up()
    return future.result()


def _settle(future: Future[ResultT], call: Callable[[], ResultT]) -> None:
    try:
        future.set_result(call())
    except Exception as error:
        future.set_exception(error)


def _reason(error: requests.RequestException) -> str:
    answer = error.response
    return f"HTTP {answer.status_code}" if answer is not None else str(error) or type(error).__name__
