"""Bytes on their way: one part at a time or several, under one limit for the whole process, watched by one thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from s3transfer.utils import ReadFileChunk, signal_not_transferring, signal_transferring

from storage.base import Progress

BEAT = 0.5
"""Seconds between two looks."""
_SHORT = 0.01  # seconds: shorter pauses are added up


class Stopped(BaseException):
    """Ends a part in the middle. No ``Exception``: botocore would take it for a broken connection and try again."""


class Limit:
    """Bytes a second for all who share it. What was not used for up to a second is made up for."""

    def __init__(self, rate: float) -> None:
        self._rate, self._due, self._lock = rate, 0.0, threading.Lock()

    def wait(self, amount: int) -> None:
        """Until so many bytes more may be sent."""
        with self._lock:
            now = time.monotonic()
            self._due = max(self._due, now - 1) + amount / self._rate
            pause = self._due - now
        if pause > _SHORT:
            time.sleep(pause)


@cache
def limit(megabytes: float) -> Limit | None:
    """The one limit of this process, in MB a second; None for 0."""
    return Limit(megabytes * 1e6) if megabytes else None


class Meter:
    """Counts what is there and under way; once it is stopped, every part ends at its next block."""

    def __init__(self, there: int, limit: Limit | None) -> None:
        self.bytes, self.stopped = there, False
        self._limit, self._lock = limit, threading.Lock()

    def add(self, bytes_transferred: int) -> None:
        """Less than nothing when a part begins anew."""
        if self.stopped:
            raise Stopped
        with self._lock:
            self.bytes += bytes_transferred
        if self._limit and bytes_transferred > 0:
            self._limit.wait(bytes_transferred)


def count_only_what_is_sent(client: Any) -> None:
    """Reading a body to sign it is neither counted nor held up."""
    client.meta.events.register_first("request-created.s3", signal_not_transferring)
    client.meta.events.register_last("request-created.s3", signal_transferring)


def body(file: Path, start: int, size: int, meter: Meter) -> closing[ReadFileChunk]:
    """These bytes of the file as the body of a request. When one is sent again, the meter goes back."""
    stream = file.open("rb")
    stream.seek(start)
    return closing(ReadFileChunk(stream, size, start + size, [meter.add], enable_callbacks=False))


def carry(
    parts: Mapping[int, Callable[[], str]], meter: Meter, total: int, progress: Progress, at_once: int = 1
) -> dict[int, str]:
    """Sends all parts: number -> what its call returned. The first error stops the others and is raised.

    Nobody waits for parts that are stopped: a silent store would hold up this thread, or the end of the process.
    """
    todo, done = deque(parts.items()), SimpleQueue[tuple[int, str | BaseException]]()

    def work() -> None:
        with suppress(IndexError):  # nothing is left to do
            while not meter.stopped:
                number, send = todo.popleft()
                try:
                    done.put((number, send()))
                except BaseException as error:
                    done.put((number, error))

    for _ in range(min(at_once, len(parts))):
        threading.Thread(target=work, name="heygem-upload", daemon=True).start()
    sent: dict[int, str] = {}
    try:
        while len(sent) < len(parts):
            with suppress(Empty):
                number, result = done.get(timeout=BEAT)
                if isinstance(result, BaseException):
                    raise result
                sent[number] = result
            progress(min(meter.bytes, total), total)
        return sent
    finally:
        meter.stopped = True
