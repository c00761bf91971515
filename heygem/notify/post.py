"""Tells those who wanted to know that a job has ended. What is to be told stands in the table, so a restart loses
nothing; who does not listen is tried again, and never holds up a job."""

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
from heygem.jobs.job import CANCELLED, DONE, FAILED, Job
from heygem.jobs.store import Store
from heygem.notify.webhook import Message, next_try, send
from heygem.settings import Settings

INTERVAL = 1.0
"""Seconds between two looks at the table."""
AT_ONCE = 4
"""Messages that are under way at the same time: a slow receiver shall not keep the others waiting."""

Send = Callable[[Job], None]
"""Delivers once. Raises AddressRefused (never again) or another HeyGemError (later again)."""


class Post:
    """A thread that looks for what is due. body: the job as the receiver shall see it. couriers: scheme of an address
    -> who delivers there; http and https go out as webhooks."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        body: Callable[[Job], Mapping[str, Any]],
        couriers: Mapping[str, Send] | None = None,
    ) -> None:
        self._store, self._settings, self._body = store, settings, body
        self._couriers = {"http": self._send, "https": self._send, **(couriers or {})}
        self._closing = threading.Event()
        self._under_way: set[str] = set()
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
                for job, tries in self._store.hooks_due():
                    if job.id not in self._under_way:
                        self._under_way.add(job.id)
                        self._pool.submit(self._tell, job, tries)
            except HeyGemError as error:
                logger.warning("messages wait: {}", error)

    def _tell(self, job: Job, tries: int) -> None:
        assert job.hook
        with logger.contextualize(job=job.id):
            try:
                self._couriers[job.hook.split(":")[0].lower()](job)
                self._note(job, hook_state="sent")
            except AddressRefused as error:
                logger.warning("nobody is told: {}", error)
                self._note(job, hook_state="failed")
            except HeyGemError as error:
                wait = next_try(tries + 1)
                logger.warning("{} {}", error, "given up" if wait is None else f"again in {wait:.0f} s")
                later = {} if wait is None else {"hook_next": time.time() + wait}
                self._note(job, hook_state="pending" if later else "failed", hook_tries=tries + 1, **later)
            except Exception:
                logger.exception("unexpected error while telling")
                self._note(job, hook_state="failed")
            finally:
                self._under_way.discard(job.id)

    def _note(self, job: Job, **values: Any) -> None:
        """Not where the job was started again in the meantime: it will end anew."""
        now = self._store.get(job.id)
        if now is not None and now.ended == job.ended:
            self._store.change(job.id, [DONE, FAILED, CANCELLED], **values)

    def _send(self, job: Job) -> None:
        ended = job.ended or job.created
        message = Message(
            f"job.{job.state}",
            self._body(job),
            id=f"msg_{job.id}_{ended:.0f}",
            at=datetime.fromtimestamp(ended, UTC),
        )
        secret = self._settings.webhook_secret
        send(job.hook or "", message, secret.get_secret_value() if secret else None, self._settings.webhook_private)
        logger.info("told {}", httpx.URL(job.hook or "").host)
