"""The queue as everybody sees it: page, HTTP, command line and fleet. Rows are the store's, files are handled here.

A job is on disk before it is in the table and in the table before it begins; its result has its final name before the
row says done. So whatever is killed, and whenever, nothing that was accepted is lost and nothing is shown half-made.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from loguru import logger

from heygem.errors import DiskLow, FileMissing, Interrupted, JobMissing, JobState, OutputError
from heygem.jobs.folder import batch_folder, discard, discard_parts, free_bytes, hide, make_latest, settle, show
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Batch, Extras, Failure, Job, Request
from heygem.jobs.store import Filter, Store
from heygem.names import clean
from heygem.pipeline import Options, Take

FLOOR = 2 << 30
"""Bytes that the disk of the results keeps free: below that no work is taken in or begun."""

INTERRUPTIONS = 10
"""So often a job may be interrupted: one that takes the whole app down with it must come to an end."""


class Queue:
    """All methods may be called from any thread; those that change something raise StoreBusy and StoreUnusable.

    floor: bytes, see FLOOR; 0 for none. changed: called after whatever may give a worker something to do.
    """

    def __init__(self, store: Store, floor: int = FLOOR, changed: Callable[[], None] = lambda: None) -> None:
        self.store, self.outputs, self.floor, self.changed = store, store.root, floor, changed

    # -- asking for work

    def submit(self, request: Request, extras: Extras | None = None) -> Job:
        """Takes the inputs in and queues the job; a key that was seen before returns the job of then.

        Raises FileMissing, OutputError, DiskLow, and leaves nothing then.
        """
        extras = extras or Extras()
        if extras.key and (known := self.store.by_key(extras.key)):
            return known
        self.check_room()
        job = self._take_in(request, extras)
        try:
            self._add([job])
        except sqlite3.IntegrityError:  # the same request arrived twice at the same moment
            known = self.store.by_key(extras.key or "")
            assert known is not None
            return known
        return job

    def submit_batch(
        self,
        audio: Path | Sequence[Path],
        videos: Sequence[Path],
        options: Options,
        name: str = "",
        extras: Extras | None = None,
    ) -> Batch:
        """Many videos, one voice for all or one for each: all jobs or none. Key and errors as with ``submit``."""
        extras = extras or Extras()
        if extras.key and (known := self.store.by_key(extras.key)):
            return self.need_batch(known.batch or "")
        self.check_room()
        folder = batch_folder(self.outputs, time.strftime("batch_%Y%m%d_%H%M%S"))
        batch = Batch(secrets.token_hex(8), clean(name) if name else folder.name, folder)
        jobs: list[Job] = []
        voices = [audio] * len(videos) if isinstance(audio, Path) else audio
        kept: dict[Path, Path] = {}  # what they share lies on the disk once
        try:
            for video, voice in zip(videos, voices, strict=True):
                mine = replace(extras, key=None) if jobs else extras  # the first job holds the key of the batch
                asked = Request(video, voice, options)
                shared = {what: kept.get(path, path) for what, path in asked.files.items()}
                job = self._take_in(asked.moved(shared), mine)
                kept |= zip(asked.files.values(), job.request.files.values(), strict=True)
                jobs.append(replace(job, batch=batch.id))
            self._add(jobs, batch)
        except BaseException as error:
            for job in jobs:
                discard(job.folder)
            discard(folder)
            if isinstance(error, sqlite3.IntegrityError) and (known := self.store.by_key(extras.key or "")):
                return self.need_batch(known.batch or "")
            raise
        make_latest(folder)
        return replace(batch, counts={QUEUED: len(jobs)})

    def again(self, job: str, options: Options) -> Job:
        """A new job of the same inputs with other options. Raises JobMissing, FileMissing, OutputError, DiskLow."""
        old = self.need(job)
        extras = Extras(priority=old.priority, deliver=old.deliver)
        return self.submit(replace(old.request, options=options), extras)

    # -- looking

    def get(self, job: str) -> Job | None:
        return self.store.get(job)

    def need(self, job: str) -> Job:
        """Raises JobMissing."""
        if (found := self.store.get(job)) is None:
            raise JobMissing(id=job)
        return found

    def find(self, wanted: Filter) -> tuple[list[Job], int]:
        """One page of the history, newest first, and how many jobs there are in all."""
        return self.store.find(wanted)

    def batch(self, batch: str) -> Batch | None:
        return self.store.batch(batch)

    def need_batch(self, batch: str) -> Batch:
        """Raises JobMissing."""
        if (found := self.store.batch(batch)) is None:
            raise JobMissing(id=batch)
        return found

    def jobs_of(self, batch: str) -> list[Job]:
        """In the order in which they were sent."""
        return self.store.find(Filter(batch=batch, limit=-1))[0][::-1]

    def held(self) -> str | None:
        """Why no job begins although some wait: "paused", "disk", or None."""
        if self.store.fact("paused"):
            return "paused"
        return None if self.has_room() else "disk"

    def has_room(self) -> bool:
        return free_bytes(self.outputs) >= self.floor

    def check_room(self) -> None:
        """Raises DiskLow."""
        if (free := free_bytes(self.outputs)) < self.floor:
            raise DiskLow(free=free >> 20, floor=self.floor >> 20)

    # -- steering

    def cancel(self, job: str) -> bool:
        """Stops a queued job at once and a running one within two seconds; its inputs stay. False where there is
        nothing to stop."""
        told = "pending" if (known := self.store.get(job)) and known.hook else None
        if self.store.change(job, [QUEUED], state=CANCELLED, ended=time.time(), error=None, hook_state=told):
            logger.bind(job=job).info("cancelled while waiting")
            return True
        return self.store.change(job, [RUNNING], stopping=1)

    def retry(self, job: str) -> Job:
        """A failed or cancelled job waits again, with all its attempts. Raises JobMissing, JobState, FileMissing."""
        return self._requeue(job, [FAILED, CANCELLED])

    def retry_all(self, batch: str, state: str) -> int:
        """How many jobs of the batch in this state wait again; those that cannot hold up no other. Raises JobMissing,
        and as with ``retry`` where none can."""
        again, why = 0, None
        for job in (one for one in self.jobs_of(self.need_batch(batch).id) if one.state == state):
            try:
                again += bool(self._requeue(job.id, [state]))
            except (JobMissing, JobState, FileMissing) as error:
                why = error
        if why and not again:
            raise why
        return again

    def cancel_batch(self, batch: str) -> int:
        """How many jobs of the batch were stopped or are being stopped."""
        return sum(self.cancel(job.id) for job in self.jobs_of(self.need_batch(batch).id) if job.busy)

    def move(self, job: str, before: str | None) -> None:
        """A queued job gets the place (and the priority) of another one; None: the end. Raises JobState."""
        order = [one for one in self.store.waiting() if one.id != job]
        moved = self.need(job)
        places = [one.id for one in order]
        if moved.state != QUEUED or (before is not None and before not in places):
            raise JobState(state=moved.state)
        place = len(order) if before is None else places.index(before)
        priority = order[min(place, len(order) - 1)].priority if order else moved.priority
        order.insert(place, replace(moved, priority=priority))
        self.store.arrange([(one.id, one.priority) for one in order])

    def pause(self) -> None:
        """No further job begins; the running ones go on. Survives a restart."""
        self.store.set_fact("paused", "1")

    def resume(self) -> None:
        self.store.set_fact("paused", None)
        self.changed()

    def pin(self, job: str, pinned: bool = True) -> None:
        """A pinned job is never removed by retention. Raises JobMissing."""
        self.need(job)
        self.store.change(job, [QUEUED, RUNNING, DONE, FAILED, CANCELLED], pinned=int(pinned))

    def remove(self, job: str) -> None:
        """Deletes an ended job with its files. Raises JobMissing, and JobState for one that waits or runs."""
        old = self.need(job)
        batch = self.store.batch(old.batch) if old.batch else None
        if not self.store.remove(job):
            raise JobState(state=old.state)
        if batch is not None:
            hide(old, batch)
            if self.store.batch(batch.id) is None:
                discard(batch.folder)
        discard(old.folder)
        logger.bind(job=job).info("removed")

    def drop_result(self, job: Job) -> None:
        """Removes the video of a done job from this disk, also from the folder of its batch: it lies elsewhere."""
        if job.take is None:
            return
        if job.batch and (batch := self.store.batch(job.batch)):
            hide(job, batch)
        job.take.path.unlink(missing_ok=True)

    # -- for the fleet

    def finish(self, job: Job, worker: str, outcome: Take | Failure) -> bool:
        """Writes the fate of a running job once its files are in order; False where it is no longer this worker's."""
        if isinstance(outcome, Failure):
            discard_parts(job.folder)
            return self.store.finish(job.id, worker, FAILED, error=outcome)
        written = self.store.finish(job.id, worker, DONE, take=outcome)
        if written and job.batch and (batch := self.store.batch(job.batch)):
            self._show(job, batch)
        return written

    def put_back(self, job: Job, worker: str, error: Failure | None = None, wait: float = 0.0) -> bool:
        """A running job waits again, after a failed attempt or, without an error, an interruption. False where it is
        no longer this worker's."""
        discard_parts(job.folder)
        return self.store.put_back(job.id, worker, error, wait)

    def recover(self) -> int:
        """After a start: what a dead process left running waits again, unless it was interrupted too often. How many
        jobs that were."""
        left = self.store.running()
        for job in left:
            discard_parts(job.folder)
            if job.interruptions < INTERRUPTIONS or job.stopping:
                self.store.put_back(job.id, None)
            else:
                error = Failure.of(Interrupted(times=job.interruptions + 1))
                self.store.finish(job.id, None, FAILED, error=error)
            logger.bind(job=job.id).warning("was interrupted for the {}. time", job.interruptions + 1)
        for batch in self.store.batches(limit=20):  # killed between the row and the link
            for job in self.jobs_of(batch.id):
                if job.state == DONE and job.take and job.take.path.exists():
                    self._show(job, batch)
        return len(left)

    # -- inside

    def _show(self, job: Job, batch: Batch) -> None:
        """A result that cannot be shown under its second name is a result all the same."""
        try:
            show(job, batch)
        except OutputError as error:
            logger.bind(job=job.id).warning("{}", error.message)

    def _take_in(self, request: Request, extras: Extras) -> Job:
        job = secrets.token_hex(8)
        request, folder = settle(request, self.outputs, job, extras.link)
        more = {"priority": extras.priority, "key": extras.key, "hook": extras.hook, "deliver": extras.deliver}
        return Job(job, request, folder, **more)

    def _add(self, jobs: Sequence[Job], batch: Batch | None = None) -> None:
        try:
            self.store.add(jobs, batch)
        except BaseException:
            for job in jobs:
                discard(job.folder)
            raise
        for job in jobs:
            names = job.request.video.name, job.request.audio.name
            logger.bind(job=job.id).info("queued: {} + {}, {}", *names, job.request.options)
        self.changed()

    def _requeue(self, job: str, states: Sequence[str]) -> Job:
        old = self.need(job)
        settled = all(path.is_file() for path in old.request.files.values())
        fresh = dict.fromkeys(("error", "ended", "not_before", "hook_state", "hook_next", "take"))
        if not settled or not self.store.change(
            job, states, state=QUEUED, attempts=0, interruptions=0, hook_tries=0, stage="", done=0, total=0, **fresh
        ):
            raise JobState(state=old.state) if settled else FileMissing(name=old.request.video.name)
        self.changed()
        return self.need(job)
