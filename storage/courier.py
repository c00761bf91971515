"""Brings finished videos to the storage, at most three at a time, from a table that a restart does not forget.

Uploads have threads of their own: neither their speed nor their failure reaches the workers, and a result is never
rendered again for them. What may pass is tried for ever, less and less often; what does not is left to people.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from loguru import logger

from heygem.errors import (
    Cancelled,
    HeyGemError,
    JobMissing,
    JobState,
    OutputError,
    StorageDamaged,
    StorageUnreachable,
    StoreBusy,
    StoreUnusable,
)
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import DELIVERED, REVOKED, UNDELIVERED, Delivery, Failure, Job, Rate
from heygem.jobs.queue import Queue
from heygem.jobs.thumbnail import thumbnail
from heygem.settings import Settings
from storage import Meta, key_for
from storage.sharing import LOCAL, Open, kept_open, storage_of

Written = TypeVar("Written")

AT_ONCE = 3
"""Uploads at a time."""
INTERVAL = 1.0
"""Seconds between two looks at the table."""
STEP = 0.5
"""Seconds between two notes of how far an upload is."""
FIRST, LONGEST = 5.0, 600.0
"""Seconds before the second try, and between two tries at most."""
SWEEP = 86400.0
"""Seconds between two looks for dead uploads."""
PASSING = (StorageUnreachable, StorageDamaged, OutputError, StoreBusy, StoreUnusable)


class _Closing(Exception):
    """The app ends: what was sent stays in the storage, and the next start goes on with it."""


def backoff(tries: int) -> float:
    """Seconds to wait after so many failed tries, a little different each time."""
    return min(FIRST * 2.0 ** min(tries - 1, 20), LONGEST) * random.uniform(0.7, 1.0)


class Courier:
    """Does nothing and opens no storage until there is something to deliver."""

    def __init__(self, queue: Queue, settings: Settings, open_storage: Open = kept_open) -> None:
        self._queue, self._settings, self._open = queue, settings, open_storage
        self._deliveries = Deliveries(queue.store)
        self._closing = threading.Event()
        self._swept = 0.0
        self._threads = [
            threading.Thread(target=self._run, name=f"heygem-courier-{number}", daemon=True)
            for number in range(AT_ONCE)
        ]

    def start(self) -> None:
        """Raises StoreBusy, StoreUnusable."""
        if left := self._deliveries.recover():
            logger.info("{} deliveries go on", left)
        for thread in self._threads:
            thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """What is under way goes on after the next start."""
        self._closing.set()
        end = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(end - time.monotonic(), 0))

    def _run(self) -> None:
        while not self._closing.wait(INTERVAL):
            try:
                while not self._closing.is_set() and (delivery := self._deliveries.claim()):
                    with logger.contextualize(job=delivery.job):
                        self._deliver(delivery)
            except _Closing:
                return
            except HeyGemError as error:
                logger.warning("deliveries wait: {}", error.message)

    def _deliver(self, delivery: Delivery) -> None:
        """One try, and what becomes of it. Raises nothing but _Closing."""
        try:
            delivery = self._placed(delivery)
            self._try(delivery)
        except _Closing:
            raise
        except (Cancelled, JobMissing):
            self._give_up(delivery)
        except PASSING as error:
            wait, failure = backoff(delivery.tries + 1), Failure.of(error)
            if self._write(lambda: self._deliveries.put_back(delivery, failure, wait)):
                logger.warning("{} It is tried again in {:.0f} s.", error.message, wait)
            else:
                self._give_up(delivery)
        except HeyGemError as error:
            logger.error("not delivered: {} {}", error.message, error.hint)
            self._fail(delivery, error)
        except Exception as error:
            logger.exception("unexpected error while delivering")
            self._fail(delivery, HeyGemError(reason=type(error).__name__))

    def _placed(self, delivery: Delivery) -> Delivery:
        """With the storage and the key that it will have, written down before the first byte is sent."""
        chosen = self._settings.storage
        if delivery.key and delivery.storage == chosen:
            return delivery
        job = self._queue.need(delivery.job)
        batch = self._queue.batch(job.batch) if job.batch else None
        placed = replace(delivery, storage=chosen, key=key_for(self._settings, job, batch), verified=False)
        self._note(delivery, storage=placed.storage, key=placed.key, verified=0)
        return placed

    def _try(self, delivery: Delivery) -> None:
        job = self._queue.need(delivery.job)
        if not delivery.verified:  # else it arrived, and the app ended before that was all
            self._upload(job, delivery)
        if self._settings.keep_local == "remove" and delivery.storage != LOCAL and not job.pinned:
            self._drop(job, delivery)
        if not self._write(lambda: self._deliveries.end(delivery, DELIVERED)):
            raise Cancelled
        logger.info("delivered")
        self._write(lambda: self._deliveries.hurry(StorageUnreachable.code))
        self._sweep()

    def _upload(self, job: Job, delivery: Delivery) -> None:
        """Until it is there and compared. Raises Cancelled where it was revoked meanwhile."""
        if job.take is None:
            raise JobState(state=job.state)
        assert delivery.key
        watch = Watch(self._deliveries, delivery, self._closing)
        item = self._open(self._settings).put(job.take.path, delivery.key, Meta(job.take.path.name), watch)
        self._note(delivery, verified=1, size=item.size, sent=item.size)

    def _give_up(self, delivery: Delivery) -> None:
        """It was revoked, or its job removed: nothing of it stays in the storage."""
        self._write(lambda: self._deliveries.note(delivery, state=REVOKED))  # a job may go before its row is there
        now = self._write(lambda: self._deliveries.get(delivery.job))
        if now and now.key == delivery.key and now.state != REVOKED:
            return  # what went wrong came after its end: it is there
        logger.info("the delivery was revoked")
        if delivery.storage and delivery.key:
            try:
                storage_of(self._settings, delivery.storage, self._open).delete(delivery.key)
            except Exception as error:
                logger.warning("something of it may stay in the storage: {}", error)

    def _drop(self, job: Job, delivery: Delivery) -> None:
        """The copy on this disk goes; its picture stays."""
        try:
            with suppress(HeyGemError):
                thumbnail(job)
            with self._deliveries.held(delivery) as there:
                if there:
                    self._queue.drop_result(job)
        except OSError as error:
            logger.warning("the result stays on this disk: {}", error.strerror)

    def _note(self, delivery: Delivery, **values: Any) -> None:
        if not self._write(lambda: self._deliveries.note(delivery, **values)):
            raise Cancelled

    def _fail(self, delivery: Delivery, error: HeyGemError) -> None:
        failure = Failure.of(error)
        if not self._write(lambda: self._deliveries.end(delivery, UNDELIVERED, failure)):
            self._give_up(delivery)

    def _write(self, act: Callable[[], Written]) -> Written:
        """Waits for a table that cannot be written now. Raises _Closing where it still cannot when the app ends."""
        while True:
            try:
                return act()
            except (StoreBusy, StoreUnusable) as error:
                logger.warning("deliveries wait: {}", error.message)
                if self._closing.wait(INTERVAL):
                    raise _Closing from None

    def _sweep(self) -> None:
        """Once a day, and only where something was delivered: else nothing leaves this machine."""
        if time.time() - self._swept > SWEEP:
            self._swept = time.time()
            try:
                self._open(self._settings).sweep()
            except Exception as error:
                logger.warning("dead uploads stay for now: {}", error)


class Watch:
    """A progress of the storage that writes down how far it is, twice a second, and says when to stop."""

    def __init__(self, deliveries: Deliveries, delivery: Delivery, closing: threading.Event) -> None:
        self._deliveries, self._delivery, self._closing = deliveries, delivery, closing
        self._rate, self._written = Rate(), 0.0

    def __call__(self, done: int, total: int) -> None:
        if self._closing.is_set():
            raise _Closing
        now = time.monotonic()
        if now - self._written < STEP:
            return
        self._written = now
        speed = self._rate.at(done, now) if done else None
        try:
            mine = self._deliveries.note(self._delivery, sent=done, size=total, speed=speed)
        except (StoreBusy, StoreUnusable):
            return
        if not mine:
            raise Cancelled
