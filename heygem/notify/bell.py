"""Tells people that jobs and batches have ended, by all channels that are set.

What is to be told stands in a table, so a restart loses nothing and nothing is told twice. Every channel has a thread
of its own: one that does not answer holds up neither the others nor a job.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from heygem.errors import HeyGemError, JobMissing, NotifyFailed, StoreBusy, StoreUnusable
from heygem.jobs.job import DONE, FAILED, Job
from heygem.jobs.notices import Due, Notices
from heygem.jobs.queue import Queue
from heygem.notify import open_channels
from heygem.notify.base import Channel, LinkPending, Notice
from heygem.notify.compose import Composer, Explain, Link, batch_key, key_of
from heygem.notify.webhook import next_try
from heygem.settings import Settings

INTERVAL = 1.0
"""Seconds between two looks at the tables, and between two notices of a channel."""
MINUTE = 60.0
PENDING = 15.0
"""Seconds between two questions for a link that will come soon."""
PATIENCE = 3600.0
"""Seconds after which a notice goes without it."""


def no_link(job: Job) -> None:
    return None


@contextmanager
def waiting() -> Iterator[None]:
    """A list of jobs that cannot be read now is looked at again; no error ends the thread."""
    try:
        yield
    except HeyGemError as error:
        logger.warning("notices wait: {}", error)
    except Exception:
        logger.exception("notices wait for an unexpected error")


def _turn(key: str) -> tuple[bool, str]:
    """Jobs in the order of their ends, then batches."""
    kind, _, ended = key.split(":")
    return kind == "batch", ended


class Bell:
    """link: where the result of a job can be had; see compose.Link. explain: the words of errors in other languages."""

    def __init__(self, queue: Queue, settings: Settings, link: Link = no_link, explain: Explain | None = None) -> None:
        self._queue, self._on = queue, settings.notify_on
        self._channels = open_channels(settings) if self._on != "off" else []
        self._notices = Notices(queue.store)
        self._composer = Composer(settings.notify_language, settings.public_url, link, explain)
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._watch, name="heygem-bell", daemon=True)]
        for channel in self._channels:
            name = f"heygem-bell-{channel.name}"
            self._threads.append(threading.Thread(target=self._serve, args=(channel,), name=name, daemon=True))

    def start(self) -> None:
        """Without channels it only sees to it that nothing is told later. Raises StoreBusy, StoreUnusable."""
        self._notices.watch([channel.name for channel in self._channels])
        for thread in self._threads if self._channels else []:
            thread.start()

    def close(self) -> None:
        """The rest is told after the next start."""
        self._closing.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(2)

    # -- what is to be told

    def _watch(self) -> None:
        names = [channel.name for channel in self._channels]
        while not self._closing.wait(INTERVAL):
            with waiting():
                if endings := self._notices.endings():
                    keys = {key for job in endings.values() for key in self._keys(job)}
                    self._notices.settle(endings, sorted(keys, key=_turn), names)

    def _keys(self, job: str) -> Iterator[str]:
        """Of the notices that the end of this job makes due."""
        if (ended := self._queue.get(job)) is None or ended.busy:
            return
        if self._on in ("job", "both") and ended.state in (DONE, FAILED):
            yield key_of(ended)
        batch = self._queue.batch(ended.batch) if ended.batch and self._on in ("batch", "both") else None
        if batch and not batch.busy and (batch.counts.get(DONE) or batch.counts.get(FAILED)):
            jobs = self._queue.jobs_of(batch.id)
            yield from [batch_key(jobs)] if jobs else []  # the last one may have been removed meanwhile

    # -- telling

    def _serve(self, channel: Channel) -> None:
        told: deque[float] = deque(maxlen=channel.per_minute)
        rest = 0.0
        while not self._closing.wait(max(rest, INTERVAL)):
            rest = told[0] + MINUTE - time.monotonic() if len(told) == told.maxlen else 0.0
            with waiting():
                due = self._notices.due(channel.name) if rest <= 0 else None
                if due and (wish := self._tell(channel, due)) is not None:
                    told.append(time.monotonic())
                    rest = wish

    def _tell(self, channel: Channel, due: Due) -> float | None:
        """Seconds for which the channel wants to be left alone; None where it was not even asked. Raises StoreBusy and
        StoreUnusable: then nothing is known to be told."""
        tries = due.tries + 1
        with logger.contextualize(job=due.key.split(":")[1]):
            try:
                channel.send(self._composed(due))
                self._notices.change(due, state="sent", tries=tries, error=None)
                logger.info("told by {}", channel.title)
            except LinkPending:
                self._notices.change(due, next=time.time() + PENDING)
                return None
            except NotifyFailed as error:
                pause = next_try(tries)
                logger.warning("{} {}", error, "given up" if pause is None else "it is tried again")
                later = {"state": "failed"} if pause is None else {"next": time.time() + max(pause, error.wait)}
                self._notices.change(due, tries=tries, error=str(error), **later)
                return error.wait
            except (StoreBusy, StoreUnusable):
                raise
            except HeyGemError as error:
                logger.warning("nobody is told by {}: {}", channel.title, error)
                self._notices.change(due, state="failed", tries=tries, error=str(error))
            except Exception:
                logger.exception("unexpected error while telling by {}", channel.title)
                self._notices.change(due, state="failed", tries=tries, error="unexpected error, see the log")
        return 0.0

    def _composed(self, due: Due) -> Notice:
        """Raises LinkPending, and JobMissing for what was removed or started again in the meantime."""
        kind, subject, _ = due.key.split(":")
        patient = time.time() - due.made < PATIENCE
        if kind == "job":
            job = self._queue.need(subject)
            if key_of(job) == due.key and not job.busy:
                return self._composer.of_job(job, patient)
        else:
            batch = self._queue.need_batch(subject)
            jobs = self._queue.jobs_of(batch.id)
            if jobs and not batch.busy and batch_key(jobs) == due.key:
                return self._composer.of_batch(batch, jobs, patient)
        raise JobMissing(id=subject)
