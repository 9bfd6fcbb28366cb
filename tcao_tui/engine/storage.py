"""What the engine keeps across restarts: one SQLite database and a folder of immutable weight blobs.

A blob is complete on disk (fsync, rename) before the row that names it is committed, so that a crash leaves either
both or an unnamed folder, which the next start removes. Names from requests never reach the file system: blobs have
generated ids. Out of scope: what the rows mean (`sessions.py`, `runs.py`, `checkpoints.py`).
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, created_at REAL NOT NULL, display_name TEXT, project_id TEXT, user_metadata TEXT,
  sdk_version TEXT, state TEXT NOT NULL, reason TEXT, detail TEXT, ended_at REAL);
CREATE INDEX IF NOT EXISTS sessions_newest ON sessions (created_at DESC, id DESC);
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL, created_at REAL NOT NULL, last_request_at REAL NOT NULL,
  base_model TEXT NOT NULL, lora TEXT NOT NULL, user_metadata TEXT);
CREATE INDEX IF NOT EXISTS runs_newest ON runs (last_request_at DESC, id DESC);
CREATE TABLE IF NOT EXISTS samplers (
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL, created_at REAL NOT NULL, base_model TEXT NOT NULL,
  model_path TEXT, blob TEXT, inflight_run TEXT, clients INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS inflight (run_id TEXT PRIMARY KEY, blob TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (
  run_id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, created_at REAL NOT NULL, blob TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, public INTEGER NOT NULL DEFAULT 0, expires_at REAL, user_metadata TEXT,
  PRIMARY KEY (run_id, kind, name));
CREATE INDEX IF NOT EXISTS checkpoints_newest ON checkpoints (created_at DESC);
"""

BLOBS_IN_USE = (
    "SELECT blob FROM checkpoints UNION SELECT blob FROM samplers WHERE blob IS NOT NULL "
    "UNION SELECT blob FROM inflight"
)

Value = str | int | float | bytes | None


class Database:
    """One SQLite connection, used from the event loop's thread only.

    Args:
        path: The database file; created with its schema when missing.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(SCHEMA)

    def rows(self, sql: str, *values: Value) -> list[dict[str, Any]]:
        """All rows of a query, as plain dictionaries."""
        return [dict(row) for row in self._connection.execute(sql, values)]

    def row(self, sql: str, *values: Value) -> dict[str, Any] | None:
        """The first row of a query, or None."""
        found = self._connection.execute(sql, values).fetchone()
        return None if found is None else dict(found)

    def count(self, sql: str, *values: Value) -> int:
        """The single number a `SELECT COUNT(*)` returns."""
        return int(self._connection.execute(sql, values).fetchone()[0])

    def write(self, sql: str, *values: Value) -> int:
        """One statement, durable on return unless inside `transaction`. Returns the rows changed."""
        return self._connection.execute(sql, values).rowcount

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All writes inside become durable together, or none of them."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            yield

    def blobs_in_use(self) -> set[str]:
        """Ids of the blobs that some row names."""
        return {row["blob"] for row in self.rows(BLOBS_IN_USE)}

    def close(self) -> None:
        """Checkpoint the write-ahead log and let go of the file."""
        self._connection.close()


class BlobStore:
    """Folders of weight files under generated ids, each written once and never changed.

    Args:
        root: Folder that holds them; created when missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def write(self, fill: Callable[[Path], None]) -> tuple[str, int]:
        """Write a new blob durably; safe to call from any thread.

        Args:
            fill: Writes the files into the empty folder it is given.

        Returns:
            The blob's id and its size in bytes.
        """
        blob = uuid.uuid4().hex
        unfinished = self.root / f"tmp-{blob}"
        unfinished.mkdir()
        try:
            fill(unfinished)
            size = 0
            for path in unfinished.iterdir():
                size += path.stat().st_size
                _fsync(path)
            _fsync(unfinished)
            unfinished.rename(self.root / blob)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        _fsync(self.root)
        return blob, size

    def path(self, blob: str) -> Path:
        """Folder of a blob.

        Raises:
            ValueError: The id is not one that `write` makes.
        """
        if not re.fullmatch(r"[0-9a-f]{32}", blob):
            raise ValueError("not a blob id")
        return self.root / blob

    def sweep(self, in_use: set[str]) -> None:
        """Remove every blob that is not in use, and what a crash left half-written."""
        for path in self.root.iterdir():
            if path.name not in in_use:
                shutil.rmtree(path, ignore_errors=True)

    def discard(self, blob: str, in_use: set[str]) -> None:
        """Remove one blob unless it is still in use."""
        if blob not in in_use:
            shutil.rmtree(self.path(blob), ignore_errors=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
