"""A local server of checkpoints, with the faults that servers have."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CheckpointServer(ThreadingHTTPServer):
    """Serves one file at every path.

    Attributes
    ----------
    content : bytes
        The file.
    breaks_after : int, optional
        Bytes after which the connection breaks.
    may_answer : threading.Event
        While it isn't set, no answer comes.
    may_end : threading.Event
        While it isn't set, the second half of the file waits.
    status : int
        The answer's status when it isn't 200.
    etag : str
        What ``X-Linked-ETag`` says.
    ranges : list of str
        What clients asked for.
    knows_ranges : bool
        Whether a part of the file can be asked for.
    stated : dict of str to str
        Headers in place of the right ones; one that is empty isn't sent.
    redirect : str, optional
        Where an answer leads that isn't the file.
    is_compressed : bool
        Whether the file is sent compressed; the part of it that is asked for is then one of the compressed file.
    is_endless : bool
        Whether zeros follow what is sent, until the client closes the connection.
    sent : int
        Bytes of them.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.breaks_after: int | None = None
        self.may_answer, self.may_end = threading.Event(), threading.Event()
        self.may_answer.set()
        self.may_end.set()
        self.status = 200
        self.etag = ""
        self.ranges: list[str] = []
        self.knows_ranges = True
        self.stated: dict[str, str] = {}
        self.redirect: str | None = None
        self.is_compressed = False
        self.is_endless = False
        self.sent = 0

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that close their connection, as those do that are canceled."""

    @property
    def url(self) -> str:
        """Where the file is."""
        return f"http://127.0.0.1:{self.server_port}/folder/weights.pt"


class _Handler(BaseHTTPRequestHandler):
    server: CheckpointServer

    def do_HEAD(self) -> None:
        """Answer with the headers of a hub."""
        self.send_response(self.server.status)
        self.send_header("X-Linked-ETag", f'"{self.server.etag}"')
        self.end_headers()

    def do_GET(self) -> None:
        """Answer with the file, or what is asked of it."""
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        self.server.may_answer.wait(10)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        if self.server.redirect is not None:
            self._begin(302, {"Location": self.server.redirect})
            self._send(b"")
            return
        start = 0 if not self.server.knows_ranges else int(asked.removeprefix("bytes=").rstrip("-") or 0)
        whole = gzip.compress(self.server.content) if self.server.is_compressed else self.server.content
        if start >= len(whole):
            self.send_error(416)
            return
        content = whole[start:]
        headers = {"Content-Length": str(len(content))}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        if self.server.is_compressed:
            headers["Content-Encoding"] = "gzip"
        self._begin(206 if start else 200, headers)
        self._send(content)

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | self.server.stated).items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def _send(self, content: bytes) -> None:
        content = content[: self.server.breaks_after]
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.server.may_end.wait(10)
        self.wfile.write(content[half:])
        while self.server.is_endless:
            self.wfile.write(bytes(2**16))
            self.server.sent += 2**16

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(content: bytes) -> Iterator[CheckpointServer]:
    """Serve ``content`` meanwhile."""
    with CheckpointServer(content) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
