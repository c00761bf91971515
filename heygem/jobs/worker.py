"""A worker: a child process that does one piece of work after the other and keeps its models loaded in between.

Work runs in a process of its own because native code (decoders, networks) cannot be interrupted from outside and may
take the whole process down. Messages from parent to child: an ``Order``, ``CANCEL`` or ``WARM``. From child to parent:
("tick", stage, done, total), ("log", level, text), ("done", take), ("failed", Failure), ("unexpected", traceback).
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loguru import logger

from heygem.errors import Cancelled, HeyGemError, WorkerDied
from heygem.jobs.job import Failure, Request

if TYPE_CHECKING:
    from heygem.pipeline import Take
    from heygem.tick import Tick

CANCEL, WARM = "cancel", "warm"
_INTERVAL = 0.1  # seconds between two ticks that are sent: enough for a page, little for a pipe


@dataclass(frozen=True)
class Order:
    """One piece of work."""

    request: Request
    out: Path
    cache: Path | None


Work = Callable[[Order, "Tick"], Any]
"""Does an order in the child process. A function of a module: it travels by its name."""


def lipsync(order: Order, tick: Tick) -> Take:
    """The work of this product."""
    from heygem import pipeline

    request = order.request
    return pipeline.lipsync(request.video, request.audio, order.out, request.options, tick, order.cache)


def warm_up() -> None:
    """Loads the libraries and the default engine, which takes the first job seconds."""
    from heygem import engines, pipeline

    engines.load(pipeline.Options().engine).warm()


class Worker:
    """The parent's hand on the child process."""

    def __init__(self, work: Work = lipsync) -> None:
        spawn = multiprocessing.get_context("spawn")  # a forked copy of a process with threads and CUDA may hang
        self._pipe, childs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(childs, work), daemon=True, name="heygem-worker")
        self._process.start()
        childs.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def send(self, message: Order | str) -> None:
        """Raises WorkerDied."""
        try:
            self._pipe.send(message)
        except OSError:
            raise self._died() from None

    def receive(self, seconds: float) -> tuple[Any, ...] | None:
        """The next message, or None after ``seconds``. Raises WorkerDied."""
        if not wait([self._pipe, self._process.sentinel], seconds):
            return None
        try:
            return self._pipe.recv() if self._pipe.poll() else self._gone()
        except (EOFError, OSError):
            raise self._died() from None

    def kill(self) -> None:
        """Ends the child at once, whatever it is doing. Safe to call twice."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _gone(self) -> None:
        raise self._died()

    def _died(self) -> WorkerDied:
        self._process.join(2)
        code = self._process.exitcode
        return WorkerDied(reason=signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}")


def _serve(pipe: Connection, work: Work) -> None:
    """Main of the child: orders until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    link = _Link(pipe)
    logger.remove()
    logger.add(lambda line: link.send("log", line.record["level"].name, line.record["message"]), level="INFO")
    while True:
        try:
            order = pipe.recv()
        except EOFError:
            return
        if order == WARM:
            warm_up()
        elif order != CANCEL:  # one that came too late was for the order before
            link.send(*_answer(link, work, order))


def _answer(link: _Link, work: Work, order: Order) -> tuple[Any, ...]:
    try:
        return "done", work(order, link.tick)
    except HeyGemError as error:
        return "failed", Failure.of(error)
    except Exception:
        return "unexpected", traceback.format_exc()


class _Link:
    """The child's end of the pipe: one thread ticks while others may log."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._stage = ""
        self._last = 0.0

    def send(self, *message: Any) -> None:
        with self._sending:
            self._pipe.send(message)

    def tick(self, stage: str, done: int, total: int) -> None:
        """Reports to the parent, not too often; raises Cancelled where the parent says so."""
        now = time.monotonic()
        if stage == self._stage and done < total and now - self._last < _INTERVAL:
            return
        self._stage, self._last = stage, now
        if self._pipe.poll() and self._pipe.recv() == CANCEL:
            raise Cancelled
        self.send("tick", stage, done, total)
