"""A worker: a child process that does one piece of work after the other and keeps its models loaded in between.

Work runs in a process of its own because native code (decoders, networks) cannot be interrupted from outside and may
take the whole process down. This is the parent's hand on it; ``heygem.jobs.child`` is the process itself. Messages from
parent to child: a pickled order, ``CANCEL`` or ``WARM``. From child to parent: ("tick", stage, done, total),
("log", level, text), ("done", take), ("failed", Failure, whether its cause may pass).
"""

from __future__ import annotations

import errno
import os
import pickle
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loguru import logger

from heygem.errors import HeyGemError, OutOfMemory, WorkerDied
from heygem.jobs.devices import CPU, Device
from heygem.jobs.job import Failure, Request

if TYPE_CHECKING:
    from heygem.pipeline import Take
    from heygem.tick import Tick

CANCEL, WARM = b"cancel", b"warm"
_LAST_BREATH = 2.0  # seconds that the system may take to end a killed process


@dataclass(frozen=True)
class Order:
    """One piece of work."""

    request: Request
    out: Path
    cache: Path | None


Work = Callable[[Any, "Tick"], Any]
"""Does an order (for jobs an ``Order``) in the child process. A function of a module: it travels by its name."""


def lipsync(order: Order, tick: Tick) -> Take:
    """The work of this product."""
    from heygem.retake import retake

    request = order.request
    return retake(request.video, request.audio, order.out, request.options, tick, order.cache).take


def failure_of(error: Exception) -> tuple[Failure, bool]:
    """An error of the work as values, and whether its cause may pass (memory, disk). What nobody foresaw is logged."""
    if not isinstance(error, HeyGemError):
        trace = "".join(traceback.format_exception(error)).rstrip()
        logger.error("unexpected error\n{}", trace)
        reason = trace.splitlines()[-1]
        return Failure.of(HeyGemError(reason=reason)), any(map(_may_pass, _causes(error)))
    return Failure.of(error), any(map(_may_pass, _causes(error)))


class Worker:
    """The parent's hand on the child process, which ends when the thread that made this does."""

    def __init__(self, work: Work = lipsync, device: Device = CPU) -> None:
        self._pipe, childs = Pipe()
        name = f"{work.__module__}:{work.__qualname__}"
        arguments = [str(childs.fileno()), str(os.getpid()), name]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "heygem.jobs.child", *arguments],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **device.variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            pass_fds=[childs.fileno()],
            start_new_session=True,  # a group of its own: whatever it starts ends with it
        )
        childs.close()
        self._memory_ran_out = _oom_kills()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def killed_from_outside(self) -> bool:
        """Somebody ended the dead child with SIGKILL, and it was not the system for want of memory."""
        return self._process.poll() == -signal.SIGKILL and _oom_kills() == self._memory_ran_out

    def send(self, message: object) -> None:
        """CANCEL, WARM or an order. Raises WorkerDied."""
        self._memory_ran_out = _oom_kills()
        try:
            self._pipe.send_bytes(message if isinstance(message, bytes) else pickle.dumps(message))
        except OSError:
            raise self._died() from None

    def receive(self, seconds: float) -> tuple[Any, ...] | None:
        """The next message, or None after ``seconds``. Raises WorkerDied."""
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if not self.alive:  # something else holds the other end of the pipe
            raise self._died()
        return None

    def kill(self) -> None:
        """Ends the child and what it started at once, whatever they are doing. Safe to call twice."""
        if self.alive:  # a dead one's group was ended by its guard, and its number may be another's by now
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # stuck in the system, but it will never run again
                self._process.wait(_LAST_BREATH)
        self._pipe.close()

    def _died(self) -> WorkerDied:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_BREATH)
        code = self._process.poll()
        return WorkerDied(reason=signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _may_pass(error: BaseException) -> bool:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM)
    return full or isinstance(error, MemoryError | OutOfMemory)


def _oom_kills() -> int:
    """How many processes the kernel has ended for want of memory, as far as it tells."""
    total = 0
    for name in ("/proc/vmstat", "/sys/fs/cgroup/memory.events"):
        with suppress(OSError):
            total += sum(map(int, re.findall(r"^oom_kill (\d+)$", Path(name).read_text(), re.MULTILINE)))
    return total
