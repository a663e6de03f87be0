"""Downloading a published checkpoint: only when called, whole or not at all. Loads no torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pooch
import requests
from filelock import FileLock

from napari_revsam2.engine.errors import CheckpointError

from .published import PublishedCheckpoint, by_hand

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes of the whole (0 if unknown); what it raises ends the download."""

_TIMEOUT = 30
"""Seconds without an answer or a byte after which a server is given up."""
_CHUNK = 2**18
_SHA256_DIGITS = 64


def download(checkpoint: PublishedCheckpoint, progress: Progress) -> Path:
    """Download a checkpoint, unless it is here; its sources are tried in turn.

    A download that broke off, or was ended by ``progress``, goes on where it stopped the next time. The file appears
    under its name when it is whole and has the right hash. Another process that wants the same file waits. Proxies are
    taken from the environment, as `requests` does. With ``NAPARI_REVSAM2_OFFLINE`` set nothing is fetched.

    Raises
    ------
    CheckpointError
        When it can't be had; says why, and which file to put where by hand.
    """
    path = checkpoint.path
    if checkpoint.is_here:
        return path
    if os.environ.get("NAPARI_REVSAM2_OFFLINE"):
        raise CheckpointError(f"NAPARI_REVSAM2_OFFLINE is set, so nothing is fetched. {by_hand(checkpoint)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            return _from_any_source(checkpoint, progress)
    except OSError as error:  # a full disk, a folder that can't be written
        raise CheckpointError(
            f"{path} can't be written: {error.strerror or error}. Make room and try again."
        ) from error


def _from_any_source(checkpoint: PublishedCheckpoint, progress: Progress) -> Path:
    reasons = []
    for url in checkpoint.urls:
        try:
            return _from_source(checkpoint, url, progress)
        except requests.RequestException as error:
            reasons.append(f"{url}: {_reason(error)}")
        except ValueError:  # of pooch, when the hash differs
            reasons.append(f"{url}: the file that came has another hash, and was thrown away")
    raise CheckpointError(f"{checkpoint.name} can't be downloaded ({'; '.join(reasons)}). {by_hand(checkpoint)}")


def _from_source(checkpoint: PublishedCheckpoint, url: str, progress: Progress) -> Path:
    path = checkpoint.path
    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(
        url,
        known_hash=f"sha256:{checkpoint.sha256 or _hash_of_the_hub(url)}",
        fname=path.name,
        path=path.parent,
        downloader=_Resuming(path.with_name(path.name + ".part"), progress),
    )
    return path


def _hash_of_the_hub(url: str) -> str:
    """Ask a Hugging Face hub for the SHA-256 of a large file: its ETag."""
    answer = requests.head(url, timeout=_TIMEOUT)  # no redirects: what they lead to has another ETag
    answer.raise_for_status()
    digest = answer.headers.get("X-Linked-ETag", "").strip('"')
    if len(digest) != _SHA256_DIGITS:
        raise requests.RequestException("the hub doesn't tell the hash of the file")
    return digest


class _Resuming:
    """A downloader for pooch, which has none that goes on with a part."""

    def __init__(self, part: Path, progress: Progress) -> None:
        self._part = part
        self._progress = progress

    def __call__(self, url: str, output_file: str, _: object) -> None:
        here = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Range": f"bytes={here}-", "Accept-Encoding": "identity"}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self._part.unlink(missing_ok=True)  # it is whole, or another file's: the next time begins anew
            answer.raise_for_status()
            if answer.status_code != requests.codes.partial_content:
                here = 0
            length = int(answer.headers.get("Content-Length", 0))
            total = here + length if length else 0
            with self._part.open("ab" if here else "wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
                    here += len(chunk)
                    self._progress(here, total)
        self._part.replace(output_file)


def _reason(error: requests.RequestException) -> str:
    answer = error.response
    return f"HTTP {answer.status_code}" if answer is not None else str(error) or type(error).__name__
