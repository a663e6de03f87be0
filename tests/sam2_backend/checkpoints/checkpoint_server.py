"""A local server of checkpoints, with the faults that servers have."""

from __future__ import annotations

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
        start = 0 if not self.server.knows_ranges else int(asked.removeprefix("bytes=").rstrip("-") or 0)
        if start >= len(self.server.content):
            self.send_error(416)
            return
        content = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        content = content[: self.server.breaks_after]
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.server.may_end.wait(10)
        self.wfile.write(content[half:])

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
