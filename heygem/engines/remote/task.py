"""The talk about one take: submitted once, asked about until it ended.

Two habits of the service decide how. It says only once how a task ended, and forgets it with that answer: whoever loses
the answer never hears it again. And some versions list a task only once they begin with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from loguru import logger

from heygem.engines.remote.service import Lost, Reply, Service
from heygem.engines.remote.watch import Watch
from heygem.errors import RemoteFailed, RemoteLost, RemoteRefused, RemoteUnreachable

OK, BUSY, BAD, LOCKED, MISSING, EXISTS = 10000, 10001, 10002, 10003, 10004, 10005
RUNNING, DONE, FAILED = 1, 2, 3
POLL = 1.0
"""Seconds between two questions."""
SOONEST, SLOWEST = 1.0, 15.0
"""Seconds between two attempts to submit, the first and the longest: they double."""
PATIENCE = 30.0
"""Seconds without a usable answer after which the service counts as away."""
LAG = 10.0
"""Seconds that a result may take to be seen in the shared folder, once the service has forgotten the task."""
UNSEEN = 600.0
"""Seconds that a task may wait before the service lists it."""
_LONGEST = 300  # characters of what the service says


class Task:
    """``there``: does the result lie in the shared folder? All methods raise RemoteRefused, RemoteUnreachable, and what
    the watch raises."""

    def __init__(self, service: Service, code: str, watch: Watch, there: Callable[[], bool]) -> None:
        self._service, self._code, self._watch, self._there = service, code, watch, there
        self._patience = _Patience(service.host)
        self._known = False  # it was seen there, or an answer about it was lost
        self._end: Reply | None = None  # kept: it is not said again

    def begin(self, asked: Mapping[str, object]) -> None:
        """Submits; waits while the service is busy with other work."""
        pause, patience, unsure = SOONEST, _Patience(self._service.host), False
        while True:
            try:
                reply = self._service.submit({**asked, "code": self._code})
            except Lost as lost:
                patience.spend(lost.reason)
                unsure = True  # it may have been taken, and must not be done twice
            else:
                patience.renew()
                if reply.code in (OK, EXISTS):
                    return
                if reply.code not in (BUSY, LOCKED):
                    raise RemoteRefused(host=self._service.host, reason=_said(reply))
            if unsure and (known := self._ask()) and known.code == OK:
                return
            self._watch.pause(pause)
            pause = min(2 * pause, SLOWEST)

    def end(self, progress: Callable[[float], None]) -> str:
        """Waits for the end; the path of the result, as the service names it. Empty where it was found by itself.

        progress: told the share that is done, 0 to 1, where the service tells one. Raises RemoteFailed, RemoteLost.
        """
        limit: float | None = None
        while True:
            reply = self._end or self._ask()
            if reply is not None and reply.code == MISSING:
                if self._there():
                    logger.warning("the remote service no longer knows {}, but its result is there", self._code)
                    return ""
                limit = limit or time.monotonic() + (LAG if self._known else UNSEEN)
                if time.monotonic() > limit:
                    raise RemoteLost(host=self._service.host)
            elif reply is not None:
                limit, status = None, _status(reply)
                if status == DONE:
                    return str(reply.data.get("result") or "")
                if status == FAILED:
                    raise RemoteFailed(host=self._service.host, reason=_said(reply))
                progress(_share(reply))
            self._watch.pause(POLL)

    def _ask(self) -> Reply | None:
        """What the service says of the task, OK or MISSING; None where nothing can be made of it, this time."""
        try:
            reply = self._service.query(self._code)
        except Lost as lost:
            self._known = True  # that may have been the answer that it is done
            self._patience.spend(lost.reason)
            return None
        if reply.code == BAD:
            raise RemoteRefused(host=self._service.host, reason=_said(reply))
        if reply.code != MISSING and (reply.code != OK or _status(reply) not in (RUNNING, DONE, FAILED)):
            self._patience.spend(_said(reply))
            return None
        self._patience.renew()
        if reply.code == OK:
            self._known = True
            self._end = reply if _status(reply) in (DONE, FAILED) else None
        return reply


class _Patience:
    """How long there has been no usable answer."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._since: float | None = None

    def renew(self) -> None:
        """There was one."""
        self._since = None

    def spend(self, reason: str) -> None:
        """There was none. Raises RemoteUnreachable."""
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since > PATIENCE:
            raise RemoteUnreachable(host=self._host, reason=reason)
        logger.warning("no answer of the remote service: {}", reason)


def _said(reply: Reply) -> str:
    """One line of what it says, which may be anything."""
    text = str(reply.data.get("msg") or reply.msg)[: 10 * _LONGEST]
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line[:_LONGEST].rstrip(" .。") or "it tells no reason"


def _status(reply: Reply) -> int | None:
    with suppress(TypeError, ValueError, OverflowError):
        return int(reply.data.get("status"))  # pyright: ignore[reportArgumentType]
    return None


def _share(reply: Reply) -> float:
    """0 where it tells nothing that makes sense."""
    with suppress(TypeError, ValueError, OverflowError):
        share = float(reply.data.get("progress") or 0) / 100
        return share if 0 <= share <= 1 else 0.0
    return 0.0
