"""The tables, and the way from every earlier version of them to this one."""

from __future__ import annotations

import sqlite3

from heygem.errors import StoreUnusable

MIGRATIONS = (
    """
    CREATE TABLE batches (
        id      TEXT PRIMARY KEY,
        name    TEXT NOT NULL,
        folder  TEXT NOT NULL,              -- relative to the folder of results, as all paths are
        created REAL NOT NULL
    ) STRICT;
    CREATE TABLE jobs (
        seq           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of arrival: clocks may step back
        id            TEXT NOT NULL UNIQUE,
        batch         TEXT REFERENCES batches(id),
        name          TEXT NOT NULL,
        folder        TEXT NOT NULL,
        video         TEXT NOT NULL,        -- relative to the folder of the job
        audio         TEXT NOT NULL,
        options       TEXT NOT NULL,        -- JSON
        state         TEXT NOT NULL DEFAULT 'queued'
                      CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        priority      INTEGER NOT NULL DEFAULT 0,
        position      INTEGER NOT NULL,     -- among the queued ones of a priority
        worker        TEXT,                 -- who runs it now: nobody else may write its fate
        created       REAL NOT NULL,
        started       REAL,
        ended         REAL,
        not_before    REAL,
        attempts      INTEGER NOT NULL DEFAULT 0,
        interruptions INTEGER NOT NULL DEFAULT 0,
        stage         TEXT NOT NULL DEFAULT '',
        done          INTEGER NOT NULL DEFAULT 0,
        total         INTEGER NOT NULL DEFAULT 0,
        fps           REAL,
        seconds_left  REAL,
        stopping      INTEGER NOT NULL DEFAULT 0,
        pinned        INTEGER NOT NULL DEFAULT 0,
        error         TEXT,                 -- JSON
        take          TEXT,                 -- JSON
        key           TEXT UNIQUE,
        hook          TEXT,
        hook_state    TEXT,
        hook_tries    INTEGER NOT NULL DEFAULT 0,
        hook_next     REAL
    ) STRICT;
    CREATE INDEX jobs_waiting ON jobs (state, priority DESC, position);
    CREATE INDEX jobs_of_batch ON jobs (batch);
    CREATE INDEX jobs_hooks ON jobs (hook_state) WHERE hook_state = 'pending';
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    """,
    """
    CREATE TABLE notices (
        channel TEXT NOT NULL,
        key     TEXT NOT NULL,              -- the same notice is sent once
        state   TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
        tries   INTEGER NOT NULL DEFAULT 0,
        made    REAL NOT NULL,
        next    REAL,
        error   TEXT,
        UNIQUE (channel, key)
    ) STRICT;
    CREATE INDEX notices_waiting ON notices (channel) WHERE state = 'pending';
    CREATE TABLE endings (seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL) STRICT;
    CREATE TRIGGER job_ended AFTER UPDATE OF state ON jobs
    WHEN NEW.state IN ('done', 'failed', 'cancelled') AND OLD.state NOT IN ('done', 'failed', 'cancelled')
        AND EXISTS (SELECT 1 FROM facts WHERE name = 'notices')
    BEGIN
        INSERT INTO endings (job) VALUES (NEW.id);
    END;
    """,
    """
    ALTER TABLE jobs ADD COLUMN deliver INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE deliveries (
        job        TEXT PRIMARY KEY,        -- stays when its job is removed: what was delivered can still be revoked
        name       TEXT NOT NULL,
        state      TEXT NOT NULL DEFAULT 'pending'
                   CHECK (state IN ('pending', 'uploading', 'delivered', 'failed', 'revoked')),
        storage    TEXT,                    -- which one has it; with the key from before the first byte is sent
        key        TEXT,
        size       INTEGER NOT NULL DEFAULT 0,
        sent       INTEGER NOT NULL DEFAULT 0,
        speed      REAL,
        verified   INTEGER NOT NULL DEFAULT 0,
        tries      INTEGER NOT NULL DEFAULT 0,
        next       REAL,
        error      TEXT,                    -- JSON
        made       REAL NOT NULL,
        ended      REAL,
        hook_state TEXT,
        hook_tries INTEGER NOT NULL DEFAULT 0,
        hook_next  REAL
    ) STRICT;
    CREATE INDEX deliveries_waiting ON deliveries (made) WHERE state = 'pending';
    CREATE INDEX deliveries_hooks ON deliveries (job) WHERE hook_state = 'pending';
    CREATE TABLE links (                    -- who made which link; the link itself is a secret and stands nowhere
        seq      INTEGER PRIMARY KEY AUTOINCREMENT,
        job      TEXT NOT NULL,
        storage  TEXT NOT NULL,
        key      TEXT NOT NULL,
        made     REAL NOT NULL,
        expires  REAL NOT NULL,
        asked_by TEXT NOT NULL,
        revoked  REAL
    ) STRICT;
    CREATE INDEX links_of_job ON links (job);
    CREATE TRIGGER job_delivers AFTER UPDATE OF state ON jobs
    WHEN NEW.state = 'done' AND OLD.state <> 'done' AND NEW.deliver
    BEGIN
        INSERT OR REPLACE INTO deliveries (job, name, made) VALUES (NEW.id, NEW.name, NEW.ended);
    END;
    CREATE TRIGGER job_removed AFTER DELETE ON jobs
    BEGIN
        UPDATE deliveries SET state = 'revoked'
        WHERE job = OLD.id AND (state IN ('pending', 'uploading', 'failed') OR storage = 'local');
    END;
    """,
)
"""Script n leads from version n to n + 1. What was released is never edited: a change is one more script."""


def migrate(db: sqlite3.Connection) -> None:
    """Brings the tables up to date, each step whole or not at all. Raises StoreUnusable for a newer version."""
    while (have := version(db)) < len(MIGRATIONS):
        try:
            db.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[have]}; PRAGMA user_version = {have + 1}; COMMIT;")
        except sqlite3.Error:
            if db.in_transaction:
                db.rollback()
            if version(db) == have:  # else another process was faster
                raise
    if have > len(MIGRATIONS):
        raise StoreUnusable(reason=f"it was written by a newer version of HeyGem (version {have} of its tables)")


def version(db: sqlite3.Connection) -> int:
    """The version of the tables; 0 where there are none yet."""
    return db.execute("PRAGMA user_version").fetchone()[0]
