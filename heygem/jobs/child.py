"""The process of a worker: ``python -m heygem.jobs.child PIPE PARENT MODULE:WORK``. The parent's side is ``worker``.

Nothing of it outlives its parent or itself, also where all are killed in the middle of native code: the kernel ends it
with its parent, and a guard, a small process beside it, ends what it started.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import pkgutil
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from loguru import logger

from heygem.errors import Cancelled
from heygem.jobs.worker import CANCEL, WARM, failure_of

_INTERVAL = 0.1  # seconds between two ticks that are sent: enough for a page, little for a pipe
_PR_SET_PDEATHSIG = 1


def main(pipe: int, parent: int, work: str) -> None:
    """Does the orders that come through the pipe until the parent goes away."""
    os.set_inheritable(pipe, False)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # PyTorch's threads leave the cores to others while they wait
    for number in (signal.SIGINT, signal.SIGTERM):  # they reach the whole service; the parent decides
        signal.signal(number, lambda *_: None)
        signal.siginterrupt(number, False)
    if sys.platform == "linux":
        _end_with(parent, signal.SIGKILL)
        worker = os.getpid()
        if os.fork() == 0:
            _guard(worker, pipe)
    _serve(Connection(pipe), work)


def _end_with(parent: int, number: signal.Signals) -> None:
    """The kernel sends this signal when the parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it was faster
        os.kill(os.getpid(), number)


def _guard(worker: int, pipe: int) -> NoReturn:
    """Waits for the death of the worker, then ends its group: what it started, and itself."""
    try:
        os.close(pipe)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        _end_with(worker, signal.SIGUSR1)
        signal.sigwait([signal.SIGUSR1])
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(1)


def _serve(pipe: Connection, work: str) -> None:
    link = _Link(pipe)
    logger.remove()
    logger.add(lambda line: link.send("log", line.record["level"].name, line.record["message"]), level="INFO")
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        if message == WARM:
            _warm_up()
        elif message != CANCEL:  # one that came too late was for the order before
            link.send(*_answer(link, work, message))


def _warm_up() -> None:
    """Loads the libraries and the default engine, which takes the first job seconds."""
    try:
        from heygem import engines, pipeline

        engines.load(pipeline.Options().engine).warm()
    except Exception as error:  # the first job will meet it again and say so
        failure_of(error)


def _answer(link: _Link, work: str, order: bytes) -> tuple[Any, ...]:
    try:
        return "done", pkgutil.resolve_name(work)(pickle.loads(order), link.tick)
    except Exception as error:
        return "failed", *failure_of(error)


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
        if self._pipe.poll() and self._pipe.recv_bytes() == CANCEL:
            raise Cancelled
        self.send("tick", stage, done, total)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
