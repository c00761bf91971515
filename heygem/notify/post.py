"""Tells those who wanted to know that a job has ended, and later what became of its delivery. What is to be told stands
in the tables, so a restart loses nothing; who does not listen is tried again, and never holds up a job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
from loguru import logger

from heygem.errors import AddressRefused, HeyGemError
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import CANCELLED, DELIVERED, DONE, FAILED, UNDELIVERED, Job
from heygem.jobs.store import Store
from heygem.notify.webhook import Message, next_try, send
from heygem.settings import Settings

INTERVAL = 1.0
"""Seconds between two looks at the table."""
_EVENTS = {DELIVERED: "job.delivered", UNDELIVERED: "job.undelivered"}
AT_ONCE = 4
"""Messages that are under way at the same time: a slow receiver shall not keep the others waiting."""

Send = Callable[[Job], None]
"""Delivers once. Raises AddressRefused (never again) or another HeyGemError (later again)."""
Body = Callable[[Job, bool], Mapping[str, Any]]
"""The job as the receiver shall see it, and whether the message is about its delivery."""


class Post:
    """A thread that looks for what is due. couriers: scheme of an address -> who delivers there; http and https go out
    as webhooks."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        body: Body,
        couriers: Mapping[str, Send] | None = None,
    ) -> None:
        self._store, self._settings, self._body = store, settings, body
        self._deliveries = Deliveries(store)
        self._couriers = {"http": self._send, "https": self._send, **(couriers or {})}
        self._closing = threading.Event()
        self._under_way: set[tuple[str, bool]] = set()
        self._pool = ThreadPoolExecutor(AT_ONCE, "heygem-post")
        self._thread = threading.Thread(target=self._run, name="heygem-post", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """What is under way may end; the rest is told after the next start."""
        self._closing.set()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._closing.wait(INTERVAL):
            try:
                for table in (self._store, self._deliveries):
                    about = table is self._deliveries
                    busy = self._under_way.copy()  # before the table is read, which says no word of what ends meanwhile
                    for job, tries in table.hooks_due():
                        if (job.id, about) not in busy:
                            self._under_way.add((job.id, about))
                            self._pool.submit(self._tell, job, tries, about)
            except HeyGemError as error:
                logger.warning("messages wait: {}", error)

    def _tell(self, job: Job, tries: int, delivery: bool) -> None:
        """delivery: the message is about that."""
        assert job.hook
        note = self._note_delivery if delivery else self._note
        with logger.contextualize(job=job.id):
            try:
                if delivery:
                    self._send_delivery(job)
                else:
                    self._couriers[job.hook.split(":")[0].lower()](job)
                note(job, hook_state="sent")
            except AddressRefused as error:
                logger.warning("nobody is told: {}", error)
                note(job, hook_state="failed")
            except HeyGemError as error:
                wait = next_try(tries + 1)
                logger.warning("{} {}", error, "given up" if wait is None else f"again in {wait:.0f} s")
                later = {} if wait is None else {"hook_next": time.time() + wait}
                note(job, hook_state="pending" if later else "failed", hook_tries=tries + 1, **later)
            except Exception:
                logger.exception("unexpected error while telling")
                note(job, hook_state="failed")
            finally:
                self._under_way.discard((job.id, delivery))

    def _note(self, job: Job, **values: Any) -> None:
        """Not where the job was started again in the meantime: it will end anew."""
        now = self._store.get(job.id)
        if now is not None and now.ended == job.ended:
            self._store.change(job.id, [DONE, FAILED, CANCELLED], **values)

    def _note_delivery(self, job: Job, **values: Any) -> None:
        """Not where it was sent once more in the meantime."""
        now = self._deliveries.get(job.id)
        if now and job.delivery and now.ended == job.delivery.ended:
            self._deliveries.change(job.id, [now.state], **values)

    def _send(self, job: Job) -> None:
        ended = job.ended or job.created
        self._call(job, f"job.{job.state}", ended, f"msg_{job.id}_{ended:.0f}", self._body(job, False))

    def _send_delivery(self, job: Job) -> None:
        """“job.delivered” or “job.undelivered”; nothing where it was revoked or is under way once more."""
        sent = job.delivery
        if sent is None or sent.ended is None or sent.state not in _EVENTS:
            return
        event = _EVENTS[sent.state]
        self._call(job, event, sent.ended, f"msg_{job.id}_{event}_{sent.ended:.0f}", self._body(job, True))

    def _call(self, job: Job, event: str, at: float, id: str, body: Mapping[str, Any]) -> None:
        message = Message(event, body, id=id.replace(".", "_"), at=datetime.fromtimestamp(at, UTC))
        secret = self._settings.webhook_secret
        send(job.hook or "", message, secret.get_secret_value() if secret else None, self._settings.webhook_private)
        logger.info("told {}", httpx.URL(job.hook or "").host)
