"""The clock of one take at the service: ticks whatever the other side does, and knows when it has been too long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

from heygem.errors import RemoteTimedOut
from heygem.tick import Tick

T = TypeVar("T")

STEP = 0.1
"""Seconds between two ticks."""


class Watch:
    """``seconds``: stage -> how long it took. host and minutes are for the error where the limit is reached; 0 minutes:
    no limit."""

    def __init__(self, tick: Tick, host: str, minutes: float) -> None:
        self._tick, self._host, self._minutes = tick, host, minutes
        self._end = time.monotonic() + minutes * 60 if minutes else math.inf
        self._shown = ("probe", 0, 1)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, *shown: str | int) -> Iterator[None]:
        """Times a stage. shown: the tick of it, until another is shown."""
        start = time.perf_counter()
        self.show(*shown)  # pyright: ignore[reportArgumentType]
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)

    def show(self, stage: str, done: int, total: int) -> None:
        """Ticks this from now on."""
        self._shown = (stage, done, total)
        self.beat()

    def beat(self) -> None:
        """Raises RemoteTimedOut, and what the tick raises."""
        self._tick(*self._shown)
        if time.monotonic() > self._end:
            raise RemoteTimedOut(host=self._host, minutes=f"{self._minutes:g}")

    def pause(self, seconds: float) -> None:
        """Waits, and ticks."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.beat()
            time.sleep(min(STEP, left))

    def during(self, work: Callable[[], T], seconds: float = math.inf) -> T:
        """What ``work`` returns or raises, from a thread of its own, while this one ticks.

        Raises TimeoutError after ``seconds``. Then, and where a tick raises, nobody waits for the work any more: it
        goes on alone to its own end, so it must have one.
        """
        made: Future[T] = Future()
        Thread(target=_run, args=(work, made), name="remote", daemon=True).start()
        end = time.monotonic() + seconds
        while not made.done():
            self.beat()
            if time.monotonic() > end:
                raise TimeoutError
            wait([made], STEP)
        return made.result()


def _run(work: Callable[[], T], made: Future[T]) -> None:
    try:
        made.set_result(work())
    except BaseException as error:  # raised where somebody waits for it
        made.set_exception(error)
