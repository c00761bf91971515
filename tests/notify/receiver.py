"""The other side of a webhook: a real server that answers as a test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Collects what arrives; answers with the statuses in their order, then 200, and with ``says``."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.statuses: list[int] = []
        self.says: list[bytes] = []
        """Bodies of answers in their order; the last one stays."""
        self.delay = 0.0
        self.began = 0
        """Requests that arrived, also those that are not answered yet."""
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                mine.began += 1
                time.sleep(mine.delay)
                mine.paths.append(self.path)
                mine.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(mine.statuses.pop(0) if mine.statuses else 200)
                said = (mine.says.pop(0) if len(mine.says) > 1 else mine.says[0]) if mine.says else b""
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None: ...

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._web.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._web.server_port}/hook?token=secret"

    def close(self) -> None:
        self._web.shutdown()
        self._web.server_close()

    def wait(self, count: int, seconds: float = 10) -> None:
        until(lambda: len(self.got) >= count, seconds)


def until(true: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
