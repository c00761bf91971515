"""A small HTTP proxy before a real store: it counts, answers badly, breaks off, waits or changes bytes at will."""

from __future__ import annotations

import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit, urlunsplit

BLOCK = 1 << 16


@dataclass
class Seen:
    """One request. got: bytes of its body that came in. status: what the client was told, None where it never was."""

    method: str
    path: str
    length: int
    got: int = 0
    status: int | None = None

    @property
    def part(self) -> int | None:
        """The number, where it is the part of a large upload."""
        found = re.search(r"partNumber=(\d+)", self.path)
        return int(found[1]) if found and self.method == "PUT" else None


Trouble = Callable[[Seen], str | int | None]
"""What happens to a request: None, an HTTP status, "reset", "reset after" (the store has acted), "slow",
"silent" (and then reset) or "change"."""


class Proxy:
    """Context manager. trouble: may be changed at any time. seen: all requests so far. block_seconds: pause after each
    64 KiB. host_header: what the store is told instead of what the client said."""

    def __init__(self, upstream: str) -> None:
        self.trouble: Trouble = lambda seen: None
        self.seen: list[Seen] = []
        self.block_seconds = 0.0
        self.host_header: str | None = None
        parts = urlsplit(upstream)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def parts(self) -> list[int]:
        """Numbers of the parts that arrived whole, in their order, repetitions and all."""
        return [seen.part for seen in self.seen if seen.part and seen.got == seen.length and seen.length]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that were killed are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _any(self) -> None:
        proxy = self.server.proxy
        seen = Seen(self.command, self.path, int(self.headers.get("Content-Length") or 0))
        proxy.seen.append(seen)
        trouble = proxy.trouble(seen)
        if trouble == "silent":
            time.sleep(5)
        if trouble in ("reset", "silent"):
            return self._reset()
        if isinstance(trouble, int):
            self.rfile.read(seen.length)
            return self._answer(seen, trouble, [("Content-Length", "0")], b"")
        if trouble == "slow":
            time.sleep(1.5)
        upstream = http.client.HTTPConnection(proxy.host, proxy.port, timeout=60)
        try:
            self._hand_on(upstream, seen, change=trouble == "change")
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        if trouble == "reset after":
            return self._reset()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("connection", "date")]
        return self._answer(seen, answer.status, kept, content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any

    def _hand_on(self, upstream: http.client.HTTPConnection, seen: Seen, change: bool) -> None:
        target = urlsplit(self.path)  # the whole address, where the client knows that this is a proxy
        path = urlunsplit(("", "", target.path or "/", target.query, ""))
        upstream.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() == "host":
                upstream.putheader(name, self.server.proxy.host_header or value)
            elif name.lower() not in ("expect", "connection"):
                upstream.putheader(name, value)
        upstream.endheaders()
        while seen.got < seen.length:
            block = self.rfile.read1(min(BLOCK, seen.length - seen.got))
            if not block:
                raise ConnectionError  # the client was killed
            if change and not seen.got:
                block = bytes([block[0] ^ 1]) + block[1:]
            upstream.send(block)
            seen.got += len(block)
            time.sleep(self.server.proxy.block_seconds)

    def _answer(self, seen: Seen, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        seen.status = status

    def _reset(self) -> None:
        """The connection is gone at once, without a goodbye."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
