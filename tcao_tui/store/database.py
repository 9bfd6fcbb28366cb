"""One SQLite connection that threads share, its two kinds of transaction, and what goes wrong with it in plain words.

Readers take a snapshot and never wait for a writer; writers queue for each other. Tables are `schema`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tcao_tui.errors import TcaoError, UsageError
from tcao_tui.store import schema
from tcao_tui.store.filesystem import require_local
from tcao_tui.store.port import StoreDamaged, StoreUnwritable

BUSY_SECONDS = 60.0
"""How long a writer waits for another one, whose commits take milliseconds; longer means a stuck disk."""

_JOURNAL_KEPT_BYTES = 64 << 20


class Database:
    """An opened run store database.

    Args:
        path: Its file.
        connection: In autocommit mode, usable from any thread.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        self._file = _identity(path)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """One snapshot. Raises `StoreDamaged`."""
        with self._transaction("DEFERRED") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """One transaction that no other writer comes between; rolled back by any exception.

        Raises:
            StoreUnwritable: The disk is full, read-only or broken; nothing was written.
            StoreDamaged: The database is not whole.
        """
        with self._transaction("IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, kind: str) -> Generator[sqlite3.Connection]:
        with self._lock:
            if _identity(self.path) != self._file:
                raise StoreUnwritable("the run store was removed or replaced while it was open", where=str(self.path))
            try:
                self._connection.execute(f"BEGIN {kind}")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise store_error(error, self.path) from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # the failed statement may have ended the transaction itself
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def open_database(path: Path, *, create: bool) -> Database:
    """Open the database, creating and upgrading it where needed; files are readable by this user only.

    Raises:
        UsageError: There is none, and none shall be created.
        Refused: It would lie on a network file system.
        StoreDamaged: It is truncated, not ours, or of a newer version.
        StoreUnwritable: It cannot be created.
    """
    if not create and not path.exists():
        raise UsageError("no runs were ever made here", where=str(path.parent), next_step="tcao demo")
    require_local(path.parent)
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileExistsError):  # never open and close a database that is in use: see `_looks_truncated`
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise StoreUnwritable(f"the run store cannot be made: {error.strerror}", where=str(path)) from error
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(error, path) from error
    except BaseException:
        connection.close()
        raise
    return Database(path, connection)


def store_error(error: sqlite3.Error, path: Path) -> TcaoError:
    """What an error of SQLite means for a person, and the next step."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            what, next_step = "the disk is full; nothing of this was written", "make room, then `tcao resume RUN`"
        case sqlite3.SQLITE_IOERR:
            what, next_step = f"the disk failed ({error}); nothing of this was written", "check disk, quota and limits"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            what, next_step = f"the run store cannot be written ({error})", "check the owner and rights of the folder"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            what = f"another process has held the run store for more than {BUSY_SECONDS:.0f} s"
            next_step = "end it, or try again"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_FORMAT:
            return _damaged(path, str(error))
        case _:
            return StoreDamaged(f"the run store cannot be used: {error}", where=str(path), next_step="tcao doctor")
    return StoreUnwritable(what, where=str(path), next_step=next_step)


def _damaged(path: Path, how: str) -> StoreDamaged:
    return StoreDamaged(
        f"the run store is damaged ({how}); nothing is read from it, so that no run goes on from a wrong step",
        where=str(path),
        next_step="restore it from a backup with its -wal file, or move it away; checkpoints are safe on the server",
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = schema.version_of(connection)
    if version > len(schema.MIGRATIONS):
        raise StoreDamaged(
            f"the run store has version {version}, and this tcao reads up to {len(schema.MIGRATIONS)}",
            where=str(path),
            next_step="upgrade tcao, or choose another folder with TCAO_RUNS_DIR",
        )
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        raise StoreDamaged("this database is not a run store", where=str(path), next_step="move it away")
    if (
        _looks_truncated(connection, path)
        and (verdict := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok"
    ):
        raise _damaged(path, verdict)
    if version < len(schema.MIGRATIONS) or _journal_mode(connection) != "wal":
        with _folder_lock(path.parent):
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise StoreUnwritable("this file system cannot keep SQLite's write-ahead log", where=str(path))
            schema.migrate(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_KEPT_BYTES}")


def _journal_mode(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _looks_truncated(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is shorter than its header says; with a log the header may be in there, so it is only a hint.

    SQLite is asked for the header: to open and close the file here would drop the kernel locks of all connections of
    this process, and the next process to leave would take the log away from under them.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return False
    pages, page_size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return bool(path.stat().st_size < pages * page_size)


@contextmanager
def _folder_lock(folder: Path) -> Generator[None]:
    """Lets one process at a time create or upgrade a store; locks the folder itself, so that no file is left behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
