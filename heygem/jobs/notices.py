"""The table of notices: what is to be told to whom, and what came of it. SQL and nothing else.

While notices are on (a fact of the store) the tables themselves write down every job that ends, in the same
transaction, whichever process ends it. So a restart forgets none, and nothing from before is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from heygem.jobs.store import LONGEST_WAIT, Store

KEPT = 30 * 86400.0
"""Seconds that is remembered what was told."""
_ON = "notices"


@dataclass(frozen=True)
class Due:
    """A notice that waits for its turn. made: seconds since the epoch."""

    channel: str
    key: str
    tries: int
    made: float


class Notices:
    """Raises StoreBusy and StoreUnusable everywhere."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def watch(self, channels: Sequence[str]) -> None:
        """From now on the ends of jobs are written down for these channels; none: no longer, and what waits is
        dropped."""
        marks = ", ".join("?" * len(channels))
        with self._store.changing() as db:
            db.execute(f"DELETE FROM notices WHERE state = 'pending' AND channel NOT IN ({marks})", [*channels])
            db.execute("DELETE FROM notices WHERE state <> 'pending' AND made < ?", [time.time() - KEPT])
            if not channels:
                db.execute("DELETE FROM endings")
        self._store.set_fact(_ON, "1" if channels else None)

    def endings(self) -> dict[int, str]:
        """Number -> id of jobs that ended and were not looked at yet, in the order of their ends."""
        return {row["seq"]: row["job"] for row in self._store.read("SELECT seq, job FROM endings ORDER BY seq")}

    def settle(self, endings: Iterable[int], keys: Iterable[str], channels: Sequence[str]) -> None:
        """These ends were looked at; notices with these keys are due in all channels, where they were not before."""
        now = time.time()
        rows = [(channel, key, now) for key in keys for channel in channels]
        with self._store.changing() as db:
            db.executemany("INSERT OR IGNORE INTO notices (channel, key, made) VALUES (?, ?, ?)", rows)
            db.executemany("DELETE FROM endings WHERE seq = ?", [(one,) for one in endings])

    def due(self, channel: str) -> Due | None:
        """The next one of a channel."""
        now = time.time()
        rows = self._store.read(
            """SELECT channel, key, tries, made FROM notices WHERE channel = ? AND state = 'pending'
                AND (next IS NULL OR next <= ? OR next > ?) ORDER BY rowid LIMIT 1""",
            *(channel, now, now + LONGEST_WAIT),
        )
        return Due(**dict(rows[0])) if rows else None

    def change(self, notice: Due, **values: Any) -> None:
        self._store.update("notices", values, "channel = ? AND key = ?", notice.channel, notice.key)

    def counts(self, channel: str) -> dict[str, int]:
        """state -> notices."""
        rows = self._store.read("SELECT state, count(*) n FROM notices WHERE channel = ? GROUP BY state", channel)
        return {row["state"]: row["n"] for row in rows}

    def last_error(self, channel: str) -> str | None:
        """Of the newest notice that did not arrive."""
        rows = self._store.read(
            "SELECT error FROM notices WHERE channel = ? AND error IS NOT NULL AND state <> 'sent' "
            "ORDER BY rowid DESC LIMIT 1",
            channel,
        )
        return rows[0]["error"] if rows else None
