"""One attempt of one job: the order goes to a worker, its ticks into the store, and somebody watches the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loguru import logger

from heygem.errors import Cancelled, HeyGemError, Interrupted, Stalled, StoreBusy, StoreUnusable, TimedOut, WorkerDied
from heygem.jobs.folder import result_path
from heygem.jobs.job import Failure, Job, Pace
from heygem.jobs.queue import INTERRUPTIONS, Queue
from heygem.jobs.store import Store
from heygem.jobs.worker import CANCEL, Order, Worker
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.pipeline import Take

GRACE = 1.0
"""Seconds between asking the work to stop (its models stay loaded) and killing it."""
BACKOFF = (5.0, 30.0)
"""Seconds before the second and the third attempt; there is no fourth."""
_STEP, _LOOK, _WRITE = 0.1, 0.2, 0.25  # seconds: waiting for a message; between two looks at, two ticks into the store


@dataclass(frozen=True)
class End:
    """How an attempt ended. outcome None: interrupted, which says nothing about the job. wait: seconds until the job
    may begin again after that."""

    outcome: Take | Failure | None
    may_pass: bool = False
    wait: float = 0.0


def settle(queue: Queue, worker: str, job: Job, end: End) -> None:
    """Writes what becomes of the job: its end, or a further attempt. Raises StoreBusy, StoreUnusable."""
    outcome = end.outcome
    if outcome is None and job.interruptions < INTERRUPTIONS:
        queue.put_back(job, worker, wait=end.wait)
        logger.warning("interrupted; waits again")
    elif isinstance(outcome, Failure) and end.may_pass and job.attempts < len(BACKOFF):
        queue.put_back(job, worker, outcome, BACKOFF[job.attempts])
        logger.warning("attempt {} failed and is repeated: {}", job.attempts + 1, outcome.message)
    else:
        outcome = outcome or Failure.of(Interrupted(times=job.interruptions + 1))
        written = queue.finish(job, worker, outcome)
        words = outcome.message if isinstance(outcome, Failure) else f"done {outcome.stages}"
        logger.info("{}{}", words, "" if written else " (the job had been taken away)")


class Progress:
    """Brings ticks into the store: a few a second, a new stage at once. A busy store stops no work."""

    def __init__(self, store: Store, job: Job, worker: str) -> None:
        self._store, self._worker, self._pace = store, worker, Pace()
        self._written, self._looked = 0.0, 0.0
        self._unwritten = False
        self.job = job

    def tick(self, stage: str, done: int, total: int) -> None:
        new = stage != self.job.stage
        fps, left = self._pace.tick(stage, done, total, time.monotonic())
        self.job = replace(self.job, stage=stage, done=done, total=total, fps=fps, seconds_left=left)
        self._unwritten = True
        self.write(at_once=new)

    def write(self, at_once: bool = False) -> None:
        """Writes the last tick where it is not written yet and time has come."""
        if not self._unwritten or not (at_once or time.monotonic() - self._written >= _WRITE):
            return
        try:
            self._store.tick(self.job, self._worker)
            self._unwritten = False
        except (StoreBusy, StoreUnusable) as error:
            logger.warning("progress is not shown: {}", error.message)
        self._written = time.monotonic()

    def may_go_on(self) -> bool:
        """False once a cancel was asked for or the job was taken away; asks the store a few times a second."""
        if time.monotonic() - self._looked < _LOOK:
            return True
        try:
            return self._store.may_go_on(self.job.id, self._worker)
        except (StoreBusy, StoreUnusable):
            return True
        finally:
            self._looked = time.monotonic()


class Attempt:
    """One job on one worker. closing: says when (monotonic) the work has to be given back, None: not at all."""

    def __init__(
        self, job: Job, worker: Worker, progress: Progress, settings: Settings, closing: Callable[[], float | None]
    ) -> None:
        self._job, self._worker, self._progress, self._closing = job, worker, progress, closing
        self._stall, self._minutes = settings.stall_seconds, settings.job_minutes
        self._cache = settings.cache
        self._begun = self._heard = time.monotonic()
        self._stopping: tuple[float, End] | None = None  # when it will be killed, and what then becomes of the job

    def run(self) -> End:
        """Raises nothing that the work may cause."""
        request = self._job.request
        try:
            self._worker.send(Order(request, result_path(request, self._job.folder), self._cache))
            while (end := self._step()) is None:
                pass
        except WorkerDied as error:
            end = End(None) if self._worker.killed_from_outside else End(Failure.of(error), may_pass=True)
        if self._stopping and (end.outcome is None or isinstance(end.outcome, Failure)):
            return self._stopping[1]
        return end

    def _step(self) -> End | None:
        match self._worker.receive(_STEP):
            case None:  # nothing is left unread: the silence is the work's, not ours
                if time.monotonic() - self._heard > self._stall:
                    return self._kill(Stalled(stage=self._progress.job.stage or "start", seconds=f"{self._stall:g}"))
            case "tick", stage, done, total:
                self._heard = time.monotonic()
                self._progress.tick(stage, done, total)
            case "log", level, text:
                logger.log(level, "{}", text)
            case "done", take:
                return End(take)
            case "failed", failure, may_pass:
                return End(failure, may_pass)
        self._progress.write()
        return self._stop()

    def _stop(self) -> End | None:
        """Asks the work to stop where it has to, and kills it where it does not listen."""
        now = time.monotonic()
        if self._stopping is None:
            if (end := self._reason(now)) is not None:
                self._stopping = now + GRACE, end
                self._worker.send(CANCEL)
        elif now > self._stopping[0]:
            self._worker.kill()
            return self._stopping[1]
        return None

    def _reason(self, now: float) -> End | None:
        closing = self._closing()
        if closing is not None and now > closing:
            return End(None)
        if self._minutes and now - self._begun > self._minutes * 60:
            return End(Failure.of(TimedOut(minutes=f"{self._minutes:g}")))
        return None if self._progress.may_go_on() else End(Failure.of(Cancelled()))

    def _kill(self, error: HeyGemError) -> End:
        self._worker.kill()
        return End(Failure.of(error), may_pass=True)
