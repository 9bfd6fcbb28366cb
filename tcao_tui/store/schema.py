"""Tables of the run store and their versions; `PRAGMA user_version` says which one a database has.

Numbers of a metric row are packed 64-bit floats, little-endian, in the order of their row of `metric_keys`: a quarter
of the size of JSON, exact for NaN and infinities, and a million rows are read as whole columns.
"""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x7463616F
"""Marks a database as ours: "tcao"."""

_VERSION_1 = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    method TEXT NOT NULL,
    base_model TEXT NOT NULL,
    backend TEXT NOT NULL,
    status TEXT NOT NULL,
    step INTEGER NOT NULL,
    total_steps INTEGER NOT NULL,
    train_loss,          -- no type: SQLite turns a NaN into NULL, so it is kept as text
    val_loss,
    tokens INTEGER NOT NULL,
    cost_usd,            -- NULL is unknown, never 0
    attempt INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs(number),
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,              -- JSON
    metrics_before INTEGER NOT NULL  -- metric rows up to this seq were committed before
);
CREATE INDEX events_of_run ON events(run);  -- an index ends with the row's number, so this one is (run, seq)
CREATE TABLE metric_keys (
    number INTEGER PRIMARY KEY,
    keys TEXT NOT NULL UNIQUE        -- JSON list
);
CREATE TABLE metrics (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs(number),
    attempt INTEGER NOT NULL,
    step INTEGER NOT NULL,
    at REAL NOT NULL,
    epoch INTEGER,
    batch INTEGER,
    keys INTEGER NOT NULL REFERENCES metric_keys(number),
    body BLOB NOT NULL               -- one float64 per key
);
CREATE INDEX metrics_of_run ON metrics(run);
CREATE TABLE spends (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs(number),
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    step INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    usd REAL                         -- NULL is unknown, never 0
);
CREATE INDEX spends_of_run ON spends(run);
CREATE TABLE controls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs(number),
    verb TEXT NOT NULL,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    handled_at REAL
);
CREATE INDEX controls_pending ON controls(run) WHERE handled_at IS NULL;
CREATE TABLE approvals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs(number),
    approval_hash TEXT NOT NULL,
    how TEXT NOT NULL,
    by TEXT NOT NULL,
    at REAL NOT NULL,
    quote TEXT NOT NULL
);
CREATE INDEX approvals_of_run ON approvals(run);
CREATE TABLE leases (
    run INTEGER PRIMARY KEY REFERENCES runs(number),
    fence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    start_ticks INTEGER,
    boot_id TEXT NOT NULL,
    host TEXT NOT NULL,
    beat_at REAL NOT NULL,           -- Unix seconds
    beat_monotonic REAL NOT NULL     -- CLOCK_MONOTONIC of that boot, seconds
);
"""

_VERSION_2 = """
CREATE TABLE interviews (
    number INTEGER PRIMARY KEY,
    interview_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    run_id TEXT NOT NULL,            -- empty until a run came of it
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE TABLE interview_entries (
    seq INTEGER PRIMARY KEY,         -- grows, since no entry is ever deleted
    interview INTEGER NOT NULL REFERENCES interviews(number),
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL               -- JSON
);
CREATE INDEX entries_of_interview ON interview_entries(interview);
"""

_VERSION_3 = """
ALTER TABLE controls ADD COLUMN body TEXT NOT NULL DEFAULT '';  -- JSON, for verbs that say what with it
"""

_VERSION_4 = """
CREATE TABLE checkpoint_notes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- a new one with each change, so that readers see that there was one
    path TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    pinned INTEGER NOT NULL
);
CREATE INDEX validations_of_run ON metrics(run) WHERE batch IS NULL;
"""

_VERSION_5 = """
ALTER TABLE runs ADD COLUMN numbers TEXT NOT NULL DEFAULT '{}';  -- JSON, last values of a few metrics; may hold NaN
"""

_VERSION_6 = """
CREATE TABLE evaluations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    evaluation_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    run_id TEXT NOT NULL,            -- empty for weights of none of our runs
    body TEXT NOT NULL,              -- JSON
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    changes INTEGER NOT NULL         -- grows with every write to it
);
CREATE INDEX evaluations_of_run ON evaluations(run_id);
CREATE TABLE eval_cells (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- a new one with each change, so that readers see that there was one
    evaluation INTEGER NOT NULL REFERENCES evaluations(number),
    place INTEGER NOT NULL,          -- task by task in the order of the spec, counted from 0
    state TEXT NOT NULL,
    body TEXT NOT NULL,              -- JSON
    UNIQUE (evaluation, place)
);
CREATE TABLE eval_items (
    seq INTEGER PRIMARY KEY,
    evaluation INTEGER NOT NULL REFERENCES evaluations(number),
    place INTEGER NOT NULL,
    item TEXT NOT NULL,
    value REAL,                      -- NULL: errored or without a grade
    cluster TEXT NOT NULL,
    truncated INTEGER NOT NULL,
    error TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    UNIQUE (evaluation, place, item)
);
CREATE TABLE eval_choices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    body TEXT NOT NULL               -- JSON
);
"""

_VERSION_7 = """
ALTER TABLE checkpoint_notes ADD COLUMN expires_at REAL;     -- Unix seconds; NULL is kept for good, or gone
ALTER TABLE checkpoint_notes ADD COLUMN expiry_set_at REAL;  -- NULL where no expiry was ever set from here
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7)
"""Script n brings a database from version n to n + 1; a script that was released is never changed."""


def version_of(connection: sqlite3.Connection) -> int:
    """Version of an opened database; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest version in one transaction; only one process at a time may do this."""
    for version in range(version_of(connection), len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{MIGRATIONS[version]}\nPRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {version + 1};\nCOMMIT;"
        )
