"""What is not kept for ever: inputs and results by age, results by size, what a killed process left behind.

Only jobs that have ended are looked at, and never pinned ones. A job whose clock says that it ended in the future is
left alone: the clock was set back.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loguru import logger

from heygem.cache import Cache
from heygem.errors import JobMissing, JobState
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.folder import discard
from heygem.jobs.job import CANCELLED, DONE, FAILED, Job
from heygem.jobs.queue import Queue
from heygem.jobs.store import Filter
from heygem.settings import Settings

DAY = 86400.0
UPLOAD_DAYS = 3
"""Days after which an upload belongs to nobody any more; the page lets go of those that it knows after one."""
_PAGE = 500
_OURS = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Policy:
    """Days that results and inputs are kept after the end of their job, days that an avatar or voice is kept unused,
    and the bytes that the whole folder of results may take; 0 means no limit."""

    result_days: float = 0
    input_days: float = 0
    cache_days: float = 0
    most_bytes: int = 0


@dataclass(frozen=True)
class Pruned:
    """jobs: removed with their results. inputs: jobs that lost their inputs and kept the result. strays: folders that
    belonged to no job. bytes: room that was made on the disk of the results."""

    jobs: int = 0
    inputs: int = 0
    strays: int = 0
    cached: int = 0
    bytes: int = 0


def policy_of(settings: Settings) -> Policy:
    days = settings.keep_days, settings.keep_input_days, settings.keep_cache_days
    return Policy(*days, most_bytes=int(settings.keep_gb * 1e9))


def caches_of(settings: Settings) -> list[Cache]:
    """The caches whose entries age."""
    return [Cache(settings.cache / name) for name in ("avatars", "voices")]


def prune(queue: Queue, policy: Policy, caches: Iterable[Cache] = ()) -> Pruned:
    """Removes what the policy no longer keeps. Raises StoreBusy, StoreUnusable."""
    before, now = _size(queue.outputs), time.time()
    jobs = [job for job in _ended(queue) if policy.result_days and _age(job, now) > policy.result_days * DAY]
    aged = sum(_remove(queue, job) for job in jobs)
    inputs = [job for job in _ended(queue) if policy.input_days and _age(job, now) > policy.input_days * DAY]
    emptied = sum(_drop_inputs(queue, job) for job in inputs)
    removed = aged + _make_fit(queue, policy.most_bytes)
    strays = sum(discard(folder) is None for folder in _strays(queue, now))
    Deliveries(queue.store).forget_links()
    cached = sum(cache.forget(policy.cache_days * DAY) for cache in caches) if policy.cache_days else 0
    pruned = Pruned(removed, emptied, strays, cached, max(before - _size(queue.outputs), 0))
    if pruned != Pruned():
        logger.info("pruned: {}", pruned)
    return pruned


def forget_uploads(folder: Path) -> None:
    """Removes what browsers sent some days ago. The page does that itself, but knows nothing of what was sent before
    its last start. Jobs have links or copies of their own."""
    for entry in folder.glob("*"):
        with suppress(OSError):  # it may be gone meanwhile
            if entry.name != "api" and time.time() - entry.stat().st_mtime > UPLOAD_DAYS * DAY:  # HTTP keeps nothing
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


class Janitor:
    """Prunes and does the ``chores`` at the start and then every hour, in a thread. What goes wrong is logged and
    tried again."""

    INTERVAL = 3600.0

    def __init__(
        self, queue: Queue, policy: Policy, caches: Iterable[Cache] = (), chores: Iterable[Callable[[], object]] = ()
    ) -> None:
        self._chores = (partial(prune, queue, policy, tuple(caches)), *chores)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heygem-janitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            for chore in self._chores:
                try:
                    chore()
                except Exception:
                    logger.exception("pruning failed")
            if self._closing.wait(self.INTERVAL):
                return


def _ended(queue: Queue) -> list[Job]:
    """Unpinned jobs that have ended and whose results need not go anywhere, oldest first."""
    states, found = (DONE, FAILED, CANCELLED), []
    while page := queue.find(Filter(states=states, limit=_PAGE, offset=len(found)))[0]:
        found += page
    return [job for job in reversed(found) if not job.pinned and not (job.delivery and job.delivery.busy)]


def _age(job: Job, now: float) -> float:
    return now - (job.ended or now)


def _remove(queue: Queue, job: Job) -> bool:
    """False where somebody else removed it or let it begin again in the meantime."""
    try:
        queue.remove(job.id)
    except (JobMissing, JobState):
        return False
    return True


def _drop_inputs(queue: Queue, job: Job) -> bool:
    """False where they are gone already, or needed again."""
    now = queue.get(job.id)
    if now is None or now.busy or now.pinned:
        return False
    there = [path.parent for path in job.request.files.values() if path.parent.is_dir()]
    for folder in there:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(there)


def _make_fit(queue: Queue, most: int) -> int:
    """Removes the oldest results until the rest fits into ``most`` bytes. How many that were."""
    removed, size = 0, _size(queue.outputs) if most else 0
    for job in _ended(queue) if size > most else []:
        if size <= most:
            break
        freed = _size(job.folder)
        if _remove(queue, job):
            size -= freed
            removed += 1
    return removed


def _strays(queue: Queue, now: float) -> Iterator[Path]:
    """Folders of jobs without a row and without a result: killed while the inputs were taken in, a day ago or more."""
    for folder in queue.outputs.glob("????-??-??/*"):
        if _OURS.fullmatch(folder.name) and queue.get(folder.name) is None and not any(folder.glob("*.mp4")):
            try:
                if now - folder.stat().st_mtime > DAY:
                    yield folder
            except FileNotFoundError:
                continue  # it was removed meanwhile


def _size(folder: Path) -> int:
    """Bytes on the disk; a file with several names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                facts = os.lstat(os.path.join(root, name))  # noqa: PTH118  thousands of files
            except FileNotFoundError:
                continue
            seen[facts.st_dev, facts.st_ino] = facts.st_blocks * 512
    return sum(seen.values())
