"""The table of jobs in SQLite. SQL and nothing else: files are the queue's business, processes the fleet's.

One connection behind one lock serves all threads of a process; WAL lets other processes (the command line) read and
write beside it. Whoever claims a job puts a name on the row, and only that name may write its fate: an answer of a
worker that was given up comes to nothing. Rows are never deleted while they run.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heygem.errors import StoreBusy, StoreUnusable
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Batch, Failure, Job
from heygem.jobs.record import WITH_DELIVERY, batch_of, error_text, job_of, take_text, values_of
from heygem.jobs.schema import migrate
from heygem.pipeline import Take

PATIENCE = 10.0
"""Seconds to wait for another process that writes."""
LONGEST_WAIT, LONGEST_REST = 3600.0, 60.0
"""Seconds: no message, no job is made to wait longer for its next attempt; more means that the clock was set back."""
_IN_ORDER = "priority DESC, position"


@dataclass(frozen=True)
class Filter:
    """All words of ``text`` stand in the name of the job or its batch; one of ``states``; of a batch. Newest first."""

    text: str = ""
    states: Sequence[str] = ()
    batch: str | None = None
    limit: int = 50
    offset: int = 0


class Store:
    """``path`` None keeps everything in memory, for tests and for programs that use HeyGem as a library.

    root: the folder of results, to which all paths are relative. Raises StoreBusy and StoreUnusable everywhere.
    """

    def __init__(self, path: Path | None, root: Path, patience: float = PATIENCE) -> None:
        self.path, self.root = path, root
        self._lock = threading.RLock()
        with _explained():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path or ":memory:", timeout=patience, isolation_level=None, check_same_thread=False
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # a power cut loses no job that was accepted
            self._db.execute("PRAGMA foreign_keys = ON")
            migrate(self._db)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # -- what users ask for

    def add(self, jobs: Sequence[Job], batch: Batch | None = None) -> None:
        """All of them or none, at the end of the queue. Raises sqlite3.IntegrityError for a key that is taken."""
        with self.changing() as db:
            if batch is not None:
                row = (batch.id, batch.name, str(batch.folder.relative_to(self.root)), batch.created)
                db.execute("INSERT INTO batches (id, name, folder, created) VALUES (?, ?, ?, ?)", row)
            last = db.execute("SELECT coalesce(max(position), 0) FROM jobs").fetchone()[0]
            for position, job in enumerate(jobs, last + 1):
                values = {**values_of(job, self.root), "position": position}
                marks = ", ".join("?" * len(values))
                db.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({marks})", [*values.values()])

    def get(self, job: str) -> Job | None:
        return next(iter(self._jobs("WHERE id = ?", job)), None)

    def by_key(self, key: str) -> Job | None:
        return next(iter(self._jobs("WHERE key = ?", key)), None)

    def find(self, wanted: Filter) -> tuple[list[Job], int]:
        """One page of the history, and how many there are in all."""
        where, values = _where(wanted)
        found = self._jobs(f"{where} ORDER BY seq DESC LIMIT ? OFFSET ?", *values, wanted.limit, wanted.offset)
        return found, self._number(f"SELECT count(*) FROM jobs {where}", *values)

    def waiting(self, limit: int = -1) -> list[Job]:
        """The queued jobs in the order in which they will begin."""
        return self._jobs(f"WHERE state = '{QUEUED}' ORDER BY {_IN_ORDER} LIMIT ?", limit)

    def order(self) -> list[str]:
        """Ids of the queued jobs in the order in which they will begin: cheap, for those who only count."""
        return [row["id"] for row in self.read(f"SELECT id FROM jobs WHERE state = '{QUEUED}' ORDER BY {_IN_ORDER}")]

    def running(self) -> list[Job]:
        return self._jobs(f"WHERE state = '{RUNNING}' ORDER BY seq")

    def ahead(self, job: str) -> int:
        """Queued jobs that begin before this one, and those that run."""
        return self._number(
            f"""SELECT count(*) FROM jobs other, jobs me WHERE me.id = ? AND (other.state = '{RUNNING}'
                OR other.state = '{QUEUED}' AND (other.priority > me.priority
                    OR other.priority = me.priority AND other.position < me.position))""",
            job,
        )

    def counts(self) -> dict[str, int]:
        """state -> jobs."""
        return {row["state"]: row["n"] for row in self.read("SELECT state, count(*) n FROM jobs GROUP BY state")}

    def durations(self) -> list[float]:
        """Seconds that each finished job took from its last begin to its end."""
        return [row[0] for row in self.read(f"SELECT max(ended - started, 0) FROM jobs WHERE state = '{DONE}'")]

    def batch(self, batch: str) -> Batch | None:
        return next(iter(self._batches("WHERE id = ?", batch)), None)

    def batches(self, limit: int = 50, offset: int = 0) -> list[Batch]:
        """Newest first."""
        return self._batches("ORDER BY rowid DESC LIMIT ? OFFSET ?", limit, offset)

    def change(self, job: str, states: Sequence[str], **values: Any) -> bool:
        """Writes columns of a job that is in one of ``states``; False where it is not."""
        marks = ", ".join("?" * len(states))
        return self.update("jobs", values, f"id = ? AND state IN ({marks})", job, *states)

    def arrange(self, jobs: Sequence[tuple[str, int]]) -> None:
        """Puts queued jobs into this order: (id, priority)."""
        with self.changing() as db:
            free = sorted(row[0] for row in db.execute(f"SELECT position FROM jobs WHERE state = '{QUEUED}'"))
            rows = [(position, priority, job) for position, (job, priority) in zip(free, jobs, strict=False)]
            db.executemany(f"UPDATE jobs SET position = ?, priority = ? WHERE id = ? AND state = '{QUEUED}'", rows)

    def remove(self, job: str) -> bool:
        """Deletes the row of a job that has ended, and its batch with the last one; False where it has not."""
        with self.changing() as db:
            done = db.execute(f"DELETE FROM jobs WHERE id = ? AND state NOT IN ('{QUEUED}', '{RUNNING}')", [job])
            db.execute("DELETE FROM batches WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE batch = batches.id)")
            return done.rowcount == 1

    def fact(self, name: str) -> str | None:
        """Something that is known of the whole queue, for example that it is paused."""
        return next((row["value"] for row in self.read("SELECT value FROM facts WHERE name = ?", name)), None)

    def set_fact(self, name: str, value: str | None) -> None:
        with self.changing() as db:
            db.execute("DELETE FROM facts WHERE name = ?", [name])
            if value is not None:
                db.execute("INSERT INTO facts VALUES (?, ?)", [name, value])

    # -- what workers do

    def claim(self, worker: str) -> Job | None:
        """Gives the next job to ``worker``, to nobody else; None where none is ready or the queue is paused."""
        now = time.time()
        with self.changing() as db:
            rows = db.execute(
                f"""UPDATE jobs SET state = '{RUNNING}', worker = ?, started = ?, ended = NULL, stage = '', done = 0,
                    total = 0, fps = NULL, seconds_left = NULL, stopping = 0
                WHERE seq = (SELECT seq FROM jobs WHERE state = '{QUEUED}'
                    AND (not_before IS NULL OR not_before <= ? OR not_before > ?) ORDER BY {_IN_ORDER} LIMIT 1)
                    AND NOT EXISTS (SELECT 1 FROM facts WHERE name = 'paused') RETURNING {WITH_DELIVERY}""",
                [worker, now, now, now + LONGEST_REST],
            ).fetchall()
        return job_of(rows[0], self.root) if rows else None

    def tick(self, job: Job, worker: str) -> bool:
        """Writes the progress that the snapshot holds. False where a cancel was asked for, or the job is no longer
        this worker's."""
        values = [job.stage, job.done, job.total, job.fps, job.seconds_left, job.id, worker]
        with self.changing() as db:
            rows = db.execute(
                f"""UPDATE jobs SET stage = ?, done = ?, total = ?, fps = ?, seconds_left = ?
                WHERE id = ? AND worker = ? AND state = '{RUNNING}' RETURNING stopping""",
                values,
            ).fetchall()
        return bool(rows) and not rows[0]["stopping"]

    def may_go_on(self, job: str, worker: str) -> bool:
        """The same question without writing: cheap, to be asked several times a second."""
        free = f"state = '{RUNNING}' AND NOT stopping"
        return self._number(f"SELECT count(*) FROM jobs WHERE id = ? AND worker = ? AND {free}", job, worker) == 1

    def finish(
        self, job: str, worker: str | None, state: str, error: Failure | None = None, take: Take | None = None
    ) -> bool:
        """Writes the fate of a running job; one that was to be stopped and did not get done counts as cancelled.
        False where it is no longer this worker's. worker None: whoever had it."""
        with self.changing() as db:
            done = db.execute(
                f"""UPDATE jobs SET worker = NULL, ended = ?, take = ?, stopping = 0, seconds_left = NULL,
                    attempts = attempts + (? = '{FAILED}' AND NOT stopping),
                    state = CASE WHEN stopping AND ? = '{FAILED}' THEN '{CANCELLED}' ELSE ? END,
                    error = CASE WHEN stopping THEN NULL ELSE ? END,
                    hook_state = CASE WHEN hook IS NOT NULL THEN 'pending' END, hook_next = NULL, hook_tries = 0
                WHERE id = ? AND state = '{RUNNING}' AND (? IS NULL OR worker = ?)""",
                [time.time(), take_text(take), state, state, state, error_text(error), job, worker, worker],
            )
            return done.rowcount == 1

    def put_back(self, job: str, worker: str | None, error: Failure | None = None, wait: float = 0.0) -> bool:
        """A running job waits again, where it was. With an error that is a failed attempt, without one an
        interruption. worker None: whoever had it."""
        kind = "attempts" if error else "interruptions"
        with self.changing() as db:
            done = db.execute(
                f"""UPDATE jobs SET state = CASE WHEN stopping THEN '{CANCELLED}' ELSE '{QUEUED}' END, worker = NULL,
                    {kind} = {kind} + 1, error = iif(stopping, NULL, coalesce(?, error)), not_before = ?, stage = '',
                    done = 0, total = 0, fps = NULL, seconds_left = NULL, ended = iif(stopping, ?, NULL), stopping = 0,
                    hook_state = CASE WHEN stopping AND hook IS NOT NULL THEN 'pending' END
                WHERE id = ? AND state = '{RUNNING}' AND (? IS NULL OR worker = ?)""",
                [error_text(error), time.time() + wait if wait else None, time.time(), job, worker, worker],
            )
            return done.rowcount == 1

    def hooks_due(self) -> list[tuple[Job, int]]:
        """Ended jobs whose address is to be told now, and how often that was tried."""
        now = time.time()
        due = "hook_state = 'pending' AND (hook_next IS NULL OR hook_next <= ? OR hook_next > ?)"
        rows = self.read(f"SELECT {WITH_DELIVERY} FROM jobs WHERE {due} ORDER BY seq", now, now + LONGEST_WAIT)
        return [(job_of(row, self.root), row["hook_tries"]) for row in rows]

    # -- inside

    def _jobs(self, tail: str, *values: Any) -> list[Job]:
        return [job_of(row, self.root) for row in self.read(f"SELECT {WITH_DELIVERY} FROM jobs {tail}", *values)]

    def _batches(self, tail: str, *values: Any) -> list[Batch]:
        with self._lock:
            rows = self.read(f"SELECT * FROM batches {tail}", *values)
            ids = [row["id"] for row in rows]
            marks = ", ".join("?" * len(ids))
            counts: dict[str, dict[str, int]] = {one: {} for one in ids}
            grouped = f"SELECT batch, state, count(*) n FROM jobs WHERE batch IN ({marks}) GROUP BY batch, state"
            for row in self.read(grouped, *ids):
                counts[row["batch"]][row["state"]] = row["n"]
        return [batch_of(row, counts[row["id"]], self.root) for row in rows]

    def _number(self, query: str, *values: Any) -> int:
        return self.read(query, *values)[0][0]

    def read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Rows of any of its tables."""
        with self._lock, _explained():
            return self._db.execute(query, values).fetchall()

    def update(self, table: str, values: Mapping[str, Any], where: str, *given: Any) -> bool:
        """Writes columns of the one row of a table that is meant; False where there is none."""
        columns = ", ".join(f"{name} = ?" for name in values)
        with self.changing() as db:
            return db.execute(f"UPDATE {table} SET {columns} WHERE {where}", [*values.values(), *given]).rowcount == 1

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing."""
        with self._lock, _explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _where(wanted: Filter) -> tuple[str, list[Any]]:
    has = "instr(lower(name), lower(?))"
    words = wanted.text.split()
    parts = [f"({has} OR batch IN (SELECT id FROM batches WHERE {has}))"] * len(words)
    values: list[Any] = [word for word in words for _ in range(2)]
    if wanted.states:
        parts.append(f"state IN ({', '.join('?' * len(wanted.states))})")
        values += wanted.states
    if wanted.batch is not None:
        parts.append("batch = ?")
        values.append(wanted.batch)
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


@contextmanager
def _explained() -> Iterator[None]:
    """SQLite's errors as ours; a broken rule of the tables (IntegrityError) is the caller's."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreBusy from error
        raise StoreUnusable(reason=error) from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise StoreUnusable(reason=error) from error
