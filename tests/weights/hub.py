"""A hub on this machine: a real HTTP server with ranges that answers one request after the other as it is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub(ThreadingHTTPServer):
    """``plan``: what the next answers are; after that the file. ``asked``: path and range of every request."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.plan: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def hub(content: bytes) -> Iterator[Hub]:
    """Runs until the end of the block."""
    server = Hub(content)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append((self.path, asked))
        what = self.server.plan.pop(0) if self.server.plan else "file"
        if what.isdigit():
            self._say(int(what), b"<html>no</html>", {"Content-Type": "text/html", "Retry-After": "0"})
        elif what == "page":
            self._say(200, b"<html>log in</html>", {"Content-Type": "text/html; charset=utf-8"})
        elif what.startswith("to "):
            self._say(302, b"", {"Location": what.removeprefix("to "), **self.server.headers})
        else:
            self._send(what, asked)

    def _send(self, what: str, asked: str) -> None:
        content, first = self.server.content, 0
        found = re.fullmatch(r"bytes=(\d+)-", asked)
        if found and what != "no ranges":
            first = int(found[1])
            if first >= len(content):
                return self._say(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        headers = {"Content-Type": "application/octet-stream"}
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        rest = content[first:]
        if what == "break":
            return self._say(206 if first else 200, rest[: len(rest) // 2], headers, len(rest))
        if what == "no length":
            return self._say(200, rest, headers, -1)
        self._say(206 if first else 200, rest, headers)

    def _say(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length != -1:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None: ...
