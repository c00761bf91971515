"""The tables of deliveries and links: which result goes to the storage, how far it is, who made a link to it. SQL only.

The tables themselves write down that a job which is to be delivered is done, in the same transaction, whichever process
ends it. No link stands in here: it is a secret, made when somebody asks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from heygem.jobs.job import PENDING, REVOKED, UPLOADING, Delivery, Failure, Job
from heygem.jobs.record import delivery_of, error_text
from heygem.jobs.store import LONGEST_WAIT, Store

KEPT = 30 * 86400.0
"""Seconds that is remembered who made a link, after its end."""
_DUE = f"state = '{PENDING}' AND (next IS NULL OR next <= ? OR next > ?)"


class Deliveries:
    """Raises StoreBusy and StoreUnusable everywhere."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- looking

    def get(self, job: str) -> Delivery | None:
        return next(iter(self._found("WHERE job = ?", job)), None)

    def find(self, states: Sequence[str] = (), limit: int = 50) -> list[Delivery]:
        """The newest ones in one of these states; no states: in any."""
        where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
        return self._found(f"{where} ORDER BY made DESC, rowid DESC LIMIT ?", *states, limit)

    def counts(self) -> dict[str, int]:
        """state -> deliveries."""
        return {
            row["state"]: row["n"] for row in self._store.read("SELECT state, count(*) n FROM deliveries GROUP BY 1")
        }

    # -- asking

    def ask(self, job: Job) -> bool:
        """The result is to be delivered now, whatever became of it before; False where that is under way."""
        with self._store.changing() as db:
            db.execute(
                "INSERT OR IGNORE INTO deliveries (job, name, made) VALUES (?, ?, ?)", [job.id, job.name, time.time()]
            )
            done = db.execute(
                f"""UPDATE deliveries SET key = CASE WHEN state <> '{REVOKED}' THEN key END, state = '{PENDING}',
                    verified = 0, sent = 0, tries = 0, next = NULL, error = NULL, ended = NULL
                WHERE job = ? AND state <> '{UPLOADING}'""",  # what was revoked gets a new key: its old links stay dead
                [job.id],
            )
            return done.rowcount == 1

    def change(self, job: str, states: Sequence[str], **values: Any) -> bool:
        """Writes columns of a delivery that is in one of ``states``; False where it is not."""
        marks = ", ".join("?" * len(states))
        return self._store.update("deliveries", values, f"job = ? AND state IN ({marks})", job, *states)

    # -- for the courier

    def claim(self) -> Delivery | None:
        """The next one that is due; from now on it is under way."""
        now = time.time()
        due = (now, now + LONGEST_WAIT)
        if not self._store.read(f"SELECT 1 FROM deliveries WHERE {_DUE} LIMIT 1", *due):
            return None  # most looks find nothing: they shall lock nobody out
        with self._store.changing() as db:
            rows = db.execute(
                f"""UPDATE deliveries SET state = '{UPLOADING}', sent = 0, speed = NULL, next = NULL
                WHERE job = (SELECT job FROM deliveries WHERE {_DUE} ORDER BY made, rowid LIMIT 1) RETURNING *""",
                due,
            ).fetchall()
        return delivery_of(rows[0]) if rows else None

    def note(self, delivery: Delivery, **values: Any) -> bool:
        """Writes columns of a delivery under way; False where it was revoked meanwhile, even if it was asked for again:
        then its key is another."""
        mine = f"job = ? AND key IS ? AND state = '{UPLOADING}'"
        return self._store.update("deliveries", values, mine, delivery.job, delivery.key)

    @contextmanager
    def held(self, delivery: Delivery) -> Iterator[bool]:
        """Is it there, compared? Nobody can take it back while this is open."""
        with self._store.changing() as db:
            values = [delivery.job, delivery.key]
            yield bool(db.execute("SELECT 1 FROM deliveries WHERE job = ? AND key = ? AND verified", values).fetchall())

    def end(self, delivery: Delivery, state: str, error: Failure | None = None) -> bool:
        """Delivered, or failed for good: whoever wanted to know is told. False as with ``note``."""
        with self._store.changing() as db:
            done = db.execute(
                f"""UPDATE deliveries SET state = ?, error = ?, ended = ?, speed = NULL, hook_tries = 0,
                    hook_next = NULL,
                    hook_state = (SELECT 'pending' FROM jobs WHERE id = deliveries.job AND lower(hook) LIKE 'http%')
                WHERE job = ? AND key IS ? AND state = '{UPLOADING}'""",
                [state, error_text(error), time.time(), delivery.job, delivery.key],
            )
            return done.rowcount == 1

    def put_back(self, delivery: Delivery, error: Failure, wait: float) -> bool:
        """It is tried again after ``wait`` seconds. False as with ``note``."""
        values = {"state": PENDING, "tries": delivery.tries + 1, "next": time.time() + wait, "speed": None}
        return self.note(delivery, **values, error=error_text(error))

    def recover(self) -> int:
        """After a start: what a dead process left under way waits again. How many those were."""
        with self._store.changing() as db:
            return db.execute(
                f"UPDATE deliveries SET state = '{PENDING}', speed = NULL WHERE state = '{UPLOADING}'"
            ).rowcount

    def hurry(self, code: str) -> None:
        """The cause with this code has passed: who waits for that need not wait any longer."""
        with self._store.changing() as db:
            db.execute(
                f"UPDATE deliveries SET next = NULL WHERE state = '{PENDING}' AND next IS NOT NULL"
                " AND json_extract(error, '$.code') = ?",
                [code],
            )

    # -- links

    def note_link(self, delivery: Delivery, expires: float, asked_by: str) -> None:
        """Somebody made a link to where this delivery is."""
        with self._store.changing() as db:
            db.execute(
                "INSERT INTO links (job, storage, key, made, expires, asked_by) VALUES (?, ?, ?, ?, ?, ?)",
                [delivery.job, delivery.storage, delivery.key, time.time(), expires, asked_by],
            )

    def links(self, job: str) -> list[dict[str, Any]]:
        """Who made which links to a result, oldest first: storage, key, made, expires, asked_by, revoked."""
        rows = self._store.read(
            "SELECT storage, key, made, expires, asked_by, revoked FROM links WHERE job = ? ORDER BY seq", job
        )
        return [dict(row) for row in rows]

    def end_links(self, job: str) -> None:
        """None of its links works any more."""
        with self._store.changing() as db:
            db.execute("UPDATE links SET revoked = ? WHERE job = ? AND revoked IS NULL", [time.time(), job])

    def forget_links(self) -> None:
        """Those that ended long ago; who made them is no longer known then."""
        with self._store.changing() as db:
            db.execute("DELETE FROM links WHERE expires < ?", [time.time() - KEPT])

    # -- messages about it

    def hooks_due(self) -> list[tuple[Job, int]]:
        """Jobs whose address is to be told now what became of the delivery, and how often that was tried."""
        now = time.time()
        rows = self._store.read(
            """SELECT job, hook_tries FROM deliveries WHERE hook_state = 'pending'
                AND (hook_next IS NULL OR hook_next <= ? OR hook_next > ?)
                AND EXISTS (SELECT 1 FROM jobs WHERE id = deliveries.job)""",
            *(now, now + LONGEST_WAIT),
        )
        found = [(self._store.get(row["job"]), row["hook_tries"]) for row in rows]
        return [(job, tries) for job, tries in found if job]

    def _found(self, tail: str, *values: Any) -> list[Delivery]:
        return [delivery_of(row) for row in self._store.read(f"SELECT * FROM deliveries {tail}", *values)]
