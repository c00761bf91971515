"""A face2face service over HTTP: one question, one answer, or why there is none.

Only the address that the administrator has set is ever called: no redirect is followed, no proxy used, and nothing that
the service says can lead anywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import httpx

from heygem import __version__
from heygem.engines.remote.watch import Watch
from heygem.errors import RemoteRefused, RemoteUnusable

CONNECT, SILENCE, WHOLE = 5.0, 15.0, 60.0
"""Seconds for a connection, for each silence of the other side, and for a whole answer (not for a result)."""
LARGEST = 16 << 30
"""Bytes of a result."""
_MOST, _BLOCK = 1 << 20, 1 << 20  # bytes of an answer; of a result that are written at once
_REFUSALS = {
    **dict.fromkeys(range(300, 400), "it redirects to another address"),
    **dict.fromkeys((401, 403, 407), "it asks for a login"),
    **dict.fromkeys((404, 405), "there is no face2face service at this address"),
}


class Lost(Exception):
    """No usable answer came, this time. ``reason`` says why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Reply:
    """What the service answered; ``code`` is its own, since every answer has the HTTP status 200."""

    code: int
    msg: str
    data: Mapping[str, Any]


class Service:
    """A context manager. url: without a name, password or query, as the settings have it."""

    def __init__(self, url: str, watch: Watch) -> None:
        self.host = host_of(url)
        self._url, self._watch = url, watch
        self._client = httpx.Client(
            timeout=httpx.Timeout(SILENCE, connect=CONNECT),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # one closed meanwhile looks like a lost answer
            headers={"user-agent": f"HeyGem/{__version__}", "accept-encoding": "identity"},
        )

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def submit(self, asked: Mapping[str, object]) -> Reply:
        """Asks for a take. Raises RemoteRefused, and Lost: it may have been taken all the same."""
        return self._ask("POST", "/easy/submit", json=asked)

    def query(self, code: str) -> Reply:
        """How it is doing. Raises RemoteRefused, and Lost: if that was its end, the service does not say it again."""
        return self._ask("GET", "/easy/query", params={"code": code})

    def download(self, path: str, to: Path) -> bool:
        """Writes the file at this address of the service; False where there is none. Raises Lost, RemoteUnusable."""
        stop, file = Event(), to.open("wb")

        def load() -> bool:
            with file, self._client.stream("GET", self._url + path) as answer:
                if answer.status_code != 200:
                    return False
                for block in answer.iter_raw(_BLOCK):
                    if stop.is_set():
                        break
                    if file.tell() > LARGEST:
                        raise RemoteUnusable(host=self.host, reason="the file is larger than a result may be")
                    file.write(block)
                return True

        try:
            return self._watch.during(load)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _lost(error)
        finally:
            stop.set()  # the thread closes the file itself: it may be in the middle of writing

    def _ask(self, method: str, path: str, **more: Any) -> Reply:
        def ask() -> bytes:
            with self._client.stream(method, self._url + path, **more) as answer:
                self._admit(answer.status_code)
                body = b""
                for block in answer.iter_raw():
                    body += block
                    if len(body) > _MOST:
                        break
                return body

        try:
            return _read(self._watch.during(ask, WHOLE))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            _lost(error)

    def _admit(self, status: int) -> None:
        if status in (408, 429) or status >= 500:
            raise Lost(f"it answers HTTP {status}")
        if status != 200:
            raise RemoteRefused(host=self.host, reason=_REFUSALS.get(status, f"it answers HTTP {status}"))


def host_of(url: str) -> str:
    """Host and port of an address."""
    return httpx.URL(url).netloc.decode()


def _read(body: bytes) -> Reply:
    """Clients find JSON under any content type."""
    try:
        found = json.loads(body)
        data = found.get("data")
        return Reply(int(found["code"]), str(found.get("msg") or ""), data if isinstance(data, dict) else {})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Lost("it does not answer as a face2face service does") from None


def _lost(error: Exception) -> NoReturn:
    if isinstance(error, TimeoutError | httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        raise Lost("it did not answer in time") from error
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        certificate = "CERTIFICATE_VERIFY_FAILED" in str(error)
        raise Lost("its certificate is not valid" if certificate else "it cannot be reached") from error
    raise Lost("the connection broke off") from error
