"""Who does the work: processes of this machine, or the caller himself. The rest of the product knows only ``Fleet``."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from loguru import logger

from heygem.errors import Cancelled, StoreInUse
from heygem.jobs.attempt import End, Progress, settle
from heygem.jobs.devices import devices
from heygem.jobs.folder import result_path
from heygem.jobs.job import Job
from heygem.jobs.queue import Queue
from heygem.jobs.slot import Slot
from heygem.jobs.worker import Order, Work, failure_of, lipsync
from heygem.settings import Settings


@dataclass(frozen=True)
class Hand:
    """A worker as the page shows it. device: "cpu", "cuda:0" … pid None: nothing is loaded now. job: what it does."""

    name: str
    device: str
    pid: int | None
    job: str | None


class Fleet(Protocol):
    """Works off a queue."""

    def start(self) -> None:
        """Puts back what a dead process left running, then works. Raises StoreInUse, StoreBusy, StoreUnusable."""

    def wake(self) -> None:
        """There may be something to do."""

    def warm(self) -> None:
        """Loads what the first job needs, in the background."""

    def workers(self) -> list[Hand]:
        """Those that are there now."""
        ...

    def close(self, seconds: float = 5.0) -> None:
        """Begins nothing more; what does not end within ``seconds`` goes back to the queue. Safe to call twice."""


class LocalFleet:
    """One child process per GPU of this machine, or one. A crash of the work costs one attempt of one job."""

    def __init__(self, queue: Queue, settings: Settings, work: Work = lipsync) -> None:
        self._queue = queue
        places = enumerate(devices(settings.workers), 1)
        self._slots = [Slot(number, device, queue, settings, work) for number, device in places]
        path = queue.store.path
        self._lock = FileLock(path.with_name(f"{path.name}.lock"), thread_local=False) if path else None

    def start(self) -> None:
        self._own()
        try:
            self._queue.recover()
        except BaseException:
            self._disown()
            raise
        for slot in self._slots:
            slot.start()

    def wake(self) -> None:
        for slot in self._slots:
            slot.wake()

    def warm(self) -> None:
        for slot in self._slots:
            slot.warm()

    def workers(self) -> list[Hand]:
        return [Hand(slot.name, slot.device.name, slot.pid, slot.job or None) for slot in self._slots]

    def close(self, seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        for slot in self._slots:
            slot.stop(deadline)
        for slot in self._slots:
            slot.join(deadline)
        self._disown()

    def _own(self) -> None:
        """One fleet per store: the kernel lets go of the lock however the process ends."""
        if self._lock is None:
            return
        file = Path(self._lock.lock_file)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            owner = file.read_text("ascii") or "?"
            raise StoreInUse(process=owner, name=str(self._queue.store.path)) from None
        file.write_text(str(os.getpid()), "ascii")

    def _disown(self) -> None:
        if self._lock is not None:
            self._lock.release()


class InlineFleet:
    """Immediate mode: ``wake`` works off the queue in this process and returns when nothing is left. For tests and for
    programs that use HeyGem as a library: ``queue.changed = fleet.wake`` makes ``submit`` return an ended job. Nothing
    is tried twice."""

    def __init__(self, queue: Queue, cache: Path | None = None, work: Work = lipsync) -> None:
        self._queue, self._cache, self._work = queue, cache, work
        self._turn = threading.RLock()
        self._job: str | None = None
        self._closed = False

    def start(self) -> None:
        self._queue.recover()
        self.wake()

    def wake(self) -> None:
        with self._turn:
            while self._job is None and not self._closed and self._queue.has_room():
                job = self._queue.store.claim("inline")
                if job is None:
                    return
                self._job = job.id
                try:
                    with logger.contextualize(job=job.id):
                        self._do(job)
                finally:
                    self._job = None

    def warm(self) -> None:
        pass

    def workers(self) -> list[Hand]:
        return [Hand("inline", "cpu", os.getpid(), self._job)]

    def close(self, seconds: float = 5.0) -> None:
        self._closed = True

    def _do(self, job: Job) -> None:
        progress = Progress(self._queue.store, job, "inline")

        def tick(stage: str, done: int, total: int) -> None:
            progress.tick(stage, done, total)
            if not progress.may_go_on():
                raise Cancelled

        end = End(None)  # an exception that is no Exception, such as Ctrl-C
        try:
            end = End(self._work(Order(job.request, result_path(job.request, job.folder), self._cache), tick))
        except Exception as error:
            end = End(failure_of(error)[0])
        finally:
            settle(self._queue, "inline", job, end)
