"""A slot: one worker process and the thread that keeps it busy. The thread outlives everything but the app."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time

from loguru import logger

from heygem.errors import HeyGemError, StoreBusy, StoreUnusable, WorkerDied
from heygem.jobs.attempt import GRACE, Attempt, End, Progress, settle
from heygem.jobs.devices import Device
from heygem.jobs.job import Failure, Job
from heygem.jobs.queue import Queue
from heygem.jobs.worker import WARM, Work, Worker
from heygem.settings import Settings

POLL = 0.5
"""Seconds between two looks for work: the command line writes into the same store and cannot wake us."""
_REST = 30.0  # seconds: the longest pause after something nobody foresaw
_LAST = 4.0  # seconds that closing takes at most beyond its grace


class Slot:
    """All methods may be called from any thread."""

    def __init__(self, number: int, device: Device, queue: Queue, settings: Settings, work: Work) -> None:
        self.name, self.device, self.job = f"{number}", device, ""
        self._queue, self._settings, self._work = queue, settings, work
        self._signature = f"{socket.gethostname()}-{os.getpid()}-{number}-{secrets.token_hex(4)}"
        self._awake = threading.Event()
        self._closing: float | None = None  # when (monotonic) running work is given back
        self._warming = False
        self._worker: Worker | None = None
        self._used = 0.0  # when the worker last had something to do
        self._thread = threading.Thread(target=self._run, name=f"heygem-slot-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._awake.set()

    def warm(self) -> None:
        """Starts the worker and loads what the first job needs, in the background."""
        self._warming = True
        self._awake.set()

    def stop(self, deadline: float) -> None:
        """No further job; the running one has until ``deadline`` (monotonic)."""
        self._closing = deadline
        self._awake.set()

    def join(self, deadline: float) -> None:
        """Waits for the end of the thread after ``stop``, no longer than is decent."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()) + GRACE + _LAST)
        self._drop()

    @property
    def pid(self) -> int | None:
        """The worker's, None where none is loaded."""
        worker = self._worker
        return worker.pid if worker is not None and worker.alive else None

    def _run(self) -> None:
        rest = POLL
        while self._closing is None:
            try:
                if (job := self._next()) is not None:
                    self._do(job)
                rest = POLL
            except Exception as error:
                self._complain(error)
                self._awake.wait(rest)
                rest = min(2 * rest, _REST)
        self._drop()

    def _next(self) -> Job | None:
        """A job that is ours, or None after a while without one."""
        self._awake.clear()
        if self._queue.has_room() and self._closing is None:
            job = self._queue.store.claim(self._signature)
            if job is not None:
                return job
        self._idle()
        self._awake.wait(POLL)
        return None

    def _idle(self) -> None:
        """What is done while there is nothing to do."""
        if self._warming:
            self._warming = False
            self._ready().send(WARM)
        worker, idle = self._worker, time.monotonic() - self._used
        if worker is None:
            return
        if idle > self._settings.idle_minutes * 60 or not worker.alive:
            logger.info("worker {} on {} ends: {}", self.name, self.device.name, "idle" if worker.alive else "it died")
            return self._drop()
        while (message := worker.receive(0)) is not None:
            if message[0] == "log":
                logger.log(message[1], "{}", message[2])

    def _do(self, job: Job) -> None:
        with logger.contextualize(job=job.id):
            self.job = job.id
            logger.info("running on {}", self.device.name)
            try:
                progress = Progress(self._queue.store, job, self._signature)
                end = Attempt(job, self._ready(), progress, self._settings, lambda: self._closing).run()
            except Exception as error:
                self._complain(error)
                self._drop()
                end = End(None, wait=_REST)
            self._settle(job, end)
            self.job, self._used = "", time.monotonic()

    def _settle(self, job: Job, end: End) -> None:
        """Writes the fate of the job, however long that takes: a locked list must not lose an hour of work."""
        rest = POLL
        while True:
            try:
                return settle(self._queue, self._signature, job, end)
            except (StoreBusy, StoreUnusable) as error:
                self._complain(error)
            except Exception as error:
                self._complain(error)
                end = End(Failure.of(HeyGemError(reason=f"{type(error).__name__}: {error}")))
            self._awake.clear()
            if self._closing is not None and time.monotonic() > self._closing + GRACE + _LAST:
                return logger.error("the end of the job could not be written; it begins again with the next start")
            self._awake.wait(rest if self._closing is None else POLL)
            rest = min(2 * rest, _REST)

    def _ready(self) -> Worker:
        if self._worker is None or not self._worker.alive:
            self._drop()
            self._worker = Worker(self._work, self.device)
            self._used = time.monotonic()
        return self._worker

    def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()

    def _complain(self, error: Exception) -> None:
        if isinstance(error, StoreBusy | StoreUnusable | WorkerDied):
            logger.warning("worker {}: {}", self.name, error.message)
        else:
            logger.opt(exception=error).error("worker {}: nobody foresaw this", self.name)
