"""The runner: jobs in their order, one at a time, in memory. A durable store can take its place later."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loguru import logger

from heygem.errors import Cancelled, HeyGemError, WorkerDied
from heygem.jobs.folder import discard, discard_parts, result_path, settle
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Failure, Job, Pace, Request
from heygem.jobs.worker import CANCEL, WARM, Order, Work, Worker, lipsync

if TYPE_CHECKING:
    from heygem.pipeline import Take

GRACE = 1.0
"""Seconds between asking the work to stop (its models stay loaded) and killing it."""


class Runner:
    """One worker process, watched by one thread. A crash of the work fails one job. All methods are thread-safe."""

    def __init__(self, outputs: Path, cache: Path | None = None, work: Work = lipsync) -> None:
        self._outputs, self._cache, self._work = outputs, cache, work
        self._jobs: dict[str, Job] = {}  # oldest first
        self._changed = threading.Condition()
        self._closing = self._warming = False
        self._worker: Worker | None = None
        self._thread = threading.Thread(target=self._run, name="heygem-runner", daemon=True)
        self._thread.start()

    def warm(self) -> None:
        """Starts the worker and loads what the first job needs, in the background."""
        with self._changed:
            self._warming = True
            self._changed.notify_all()

    def submit(self, request: Request) -> Job:
        """Takes the inputs into the job's folder and queues the job. Raises FileMissing, OutputError."""
        job_id = secrets.token_hex(8)
        request, folder = settle(request, self._outputs, job_id)
        job = Job(job_id, request, folder)
        with self._changed:
            self._jobs[job_id] = job
            self._changed.notify_all()
        logger.bind(job=job_id).info("queued: {} + {}, {}", request.video.name, request.audio.name, request.options)
        return job

    def get(self, job_id: str) -> Job | None:
        """The job as it stands, or None."""
        with self._changed:
            return self._jobs.get(job_id)

    def list(self) -> list[Job]:
        """All jobs, oldest first."""
        with self._changed:
            return [*self._jobs.values()]

    def cancel(self, job_id: str) -> bool:
        """Stops a queued job at once and a running one within two seconds. False where there is nothing to stop."""
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None or not job.busy:
                return False
            if job.state == RUNNING:
                self._jobs[job_id] = replace(job, stopping=True)
                return True
            self._jobs[job_id] = replace(job, state=CANCELLED, ended=time.time())
        discard(job.folder)
        return True

    def close(self) -> None:
        """Cancels what is queued or running and ends the worker. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for job in self.list():
            self.cancel(job.id)
        self._thread.join()

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                with logger.contextualize(job=job.id):
                    self._attempt(job)
        finally:
            self._drop_worker()

    def _next(self) -> Job | None:
        """Waits for the oldest queued job and marks it as running; None when the runner closes."""
        with self._changed:
            while not self._closing:
                job = next((job for job in self._jobs.values() if job.state == QUEUED), None)
                if job is not None:
                    job = self._jobs[job.id] = replace(job, state=RUNNING, started=time.time())
                    return job
                if self._warming and self._worker is None:
                    self._worker = Worker(self._work)
                    self._worker.send(WARM)
                self._changed.wait()
        return None

    def _attempt(self, job: Job) -> None:
        logger.info("running")
        try:
            answer = self._work_on(job)
        except WorkerDied as error:
            self._drop_worker()
            answer = "failed", Failure.of(error), False
        match answer:
            case "done", take:
                self._end(job, DONE, take=take)
            case "failed", failure, _:
                self._end(job, FAILED, error=failure)
            case "unexpected", trace:
                logger.error("unexpected error\n{}", trace)
                self._end(job, FAILED, error=Failure.of(HeyGemError(reason=trace.strip().splitlines()[-1])))

    def _work_on(self, job: Job) -> tuple[Any, ...]:
        """The worker's answer to this job. Raises WorkerDied."""
        if self._worker is None or not self._worker.alive:
            self._drop_worker()
            self._worker = Worker(self._work)
        worker, pace, deadline = self._worker, Pace(), None
        worker.send(Order(job.request, result_path(job.request, job.folder), self._cache))
        while True:
            match worker.receive(0.1):
                case None:
                    pass
                case "tick", stage, done, total:
                    self._tick(job.id, pace, stage, done, total)
                case "log", level, text:
                    logger.log(level, "{}", text)
                case answer:
                    return answer
            if deadline is None and self._jobs[job.id].stopping:
                deadline = time.monotonic() + GRACE
                worker.send(CANCEL)
            if deadline is not None and time.monotonic() > deadline:
                self._drop_worker()
                return "failed", Failure.of(Cancelled()), False

    def _tick(self, job_id: str, pace: Pace, stage: str, done: int, total: int) -> None:
        fps, left = pace.tick(stage, done, total, time.monotonic())
        with self._changed:
            job = self._jobs[job_id]
            self._jobs[job_id] = replace(job, stage=stage, done=done, total=total, fps=fps, seconds_left=left)

    def _end(self, job: Job, state: str, error: Failure | None = None, take: Take | None = None) -> None:
        """Writes the fate of a running job once its folder is in order. A stopped job counts as cancelled."""
        if state == FAILED and self._jobs[job.id].stopping:
            state, error = CANCELLED, None
        if state == CANCELLED:
            discard(job.folder)
        elif state == FAILED:
            discard_parts(job.folder)
        logger.info("{} {}", state, error.message if error else take.stages if take else "")
        with self._changed:
            self._jobs[job.id] = replace(
                self._jobs[job.id], state=state, ended=time.time(), stopping=False, error=error, take=take
            )

    def _drop_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
