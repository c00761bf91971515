"""Progress on a terminal, and a stop that leaves nothing behind."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from heygem.tick import COUNTED, Tick

INTERVAL = 5.0
"""Seconds between two plain lines of one stage."""


class Stopped(KeyboardInterrupt):
    """A signal asked to stop. Not an Exception, so that nothing on the way out takes it for a failure.

    kept: what stays, in words.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.kept = "nothing was kept"


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Makes Ctrl-C and SIGTERM raise ``Stopped`` wherever the work is. Yields a call that raises it again.

    An exception from a signal handler is lost where Python cannot pass it on (a callback of native code), hence the
    second way: the tick asks too. A second signal ends the process at once.
    """
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        asked.append(number)
        raise Stopped(number)

    def check() -> None:
        if asked:
            raise Stopped(asked[0])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def shown(check: Callable[[], None]) -> Iterator[Tick]:
    """A tick that draws a bar, or writes a plain line now and then where stderr is no terminal."""
    console = Console(stderr=True)
    with _Bar(console) if console.is_terminal else _Lines() as draw:

        def tick(stage: str, done: int, total: int) -> None:
            check()
            draw(stage, done, total)

        yield tick


class _Pace:
    """Frames per second and seconds left of the stage that runs."""

    def __init__(self) -> None:
        self.stage, self._start = "", 0.0

    def enter(self, stage: str) -> bool:
        """True where a new stage begins."""
        new = stage != self.stage
        if new:
            self.stage, self._start = stage, time.monotonic()
        return new

    def words(self, done: int, total: int) -> str:
        seconds = time.monotonic() - self._start
        if self.stage not in COUNTED or done == 0 or seconds < 0.5:
            return ""
        fps = done / seconds
        return f"{fps:.1f} fps, {(total - done) / fps:.0f} s left"


class _Bar:
    def __init__(self, console: Console) -> None:
        stage, pace = TextColumn("{task.description:>8}"), TextColumn("{task.fields[pace]}")
        self._progress = Progress(stage, BarColumn(), MofNCompleteColumn(), pace, console=console)
        self._pace = _Pace()
        self._task: TaskID | None = None

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._pace.enter(stage) or self._task is None:
            self._task = self._progress.add_task(stage, total=total, pace="")
        self._progress.update(self._task, completed=done, total=total, pace=self._pace.words(done, total))


class _Lines:
    def __init__(self) -> None:
        self._pace = _Pace()
        self._next = 0.0

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, stage: str, done: int, total: int) -> None:
        new, now = self._pace.enter(stage), time.monotonic()
        if new or now >= self._next or (done == total and stage in COUNTED):
            self._next = now + INTERVAL
            pace = self._pace.words(done, total)
            unit = " frames" if stage in COUNTED else ""
            print(f"{stage} {done}/{total}{unit}{', ' if pace else ''}{pace}", file=sys.stderr, flush=True)
