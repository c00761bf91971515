"""Bytes on their way: several parts at a time, under one limit for the whole process, watched by one thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from s3transfer.bandwidth import BandwidthLimitedStream, LeakyBucket
from s3transfer.utils import ReadFileChunk, signal_not_transferring, signal_transferring

from storage.base import Progress

THREADS = 4
"""Parts of one file that are under way at a time."""
BEAT = 0.5
"""Seconds between two looks."""


class Stopped(BaseException):
    """Ends a part in the middle. No ``Exception``: botocore would take it for a broken connection and try again."""


class Meter:
    """Counts what is there and under way; once ``exception`` is set, every part ends at its next block."""

    def __init__(self, there: int) -> None:
        self.bytes = there
        self.exception: Stopped | None = None
        self._lock = threading.Lock()

    def add(self, bytes_transferred: int) -> None:
        if self.exception:
            raise self.exception
        with self._lock:
            self.bytes += bytes_transferred

    def stop(self) -> None:
        self.exception = Stopped()


@cache
def limit(megabytes: float) -> LeakyBucket | None:
    """The one limit of this process, in MB a second; None for 0."""
    return LeakyBucket(megabytes * 1e6) if megabytes else None


def count_only_what_is_sent(client: Any) -> None:
    """Reading a body to sign it is neither counted nor held up."""
    client.meta.events.register_first("request-created.s3", signal_not_transferring)
    client.meta.events.register_last("request-created.s3", signal_transferring)


def body(file: Path, start: int, size: int, meter: Meter, limit: LeakyBucket | None) -> closing[ReadFileChunk]:
    """These bytes of the file as the body of a request. When one is sent again, the meter goes back."""
    stream = file.open("rb")
    stream.seek(start)
    slowed = BandwidthLimitedStream(stream, limit, meter) if limit else stream
    return closing(ReadFileChunk(slowed, size, start + size, [meter.add], enable_callbacks=False))


def carry(parts: Mapping[int, Callable[[], str]], meter: Meter, total: int, progress: Progress) -> dict[int, str]:
    """Sends all parts: number -> what its call returned. The first error stops the others and is raised.

    Nobody waits for parts that are stopped: a silent store would hold up this thread, or the end of the process.
    """
    todo, done = deque(parts.items()), SimpleQueue[tuple[int, str | BaseException]]()

    def work() -> None:
        with suppress(IndexError):  # nothing is left to do
            while not meter.exception:
                number, send = todo.popleft()
                try:
                    done.put((number, send()))
                except BaseException as error:
                    done.put((number, error))

    for _ in range(min(THREADS, len(parts))):
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
        meter.stop()
