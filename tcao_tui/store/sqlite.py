"""The run store in one SQLite database per runs root, `state.db`: WAL, synchronous=FULL, one writer per run.

Committing is `sqlite_writer`, tables are `schema`, opening and transactions are `database`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.domain.run_view import LeaseState, RunSummary
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store.database import Database, open_database
from tcao_tui.store.lease import RunLock, boot_id
from tcao_tui.store.port import Approval, ControlRequest, Cursor, NewRun, ReadBatch
from tcao_tui.store.summary_rows import SUMMARY_COLUMNS, SUMMARY_MARKS, Row, new_summary, read_summary, summary_values
from tcao_tui.store.unknown import unknown

if TYPE_CHECKING:  # the run list is shown before pydantic has been imported
    from tcao_tui.domain.events import Verb
    from tcao_tui.store.checkpoint_notes import SqliteNotes
    from tcao_tui.store.sqlite_evaluations import SqliteEvaluations
    from tcao_tui.store.sqlite_interviews import SqliteInterviews
    from tcao_tui.store.sqlite_writer import SqliteWriter

type Clock = Callable[[], float]

DATABASE_NAME = "state.db"
_EVERY_ROW = 2**63 - 1


def open_store(
    runs_root: Path, *, create: bool = True, clock: Clock = time.time, monotonic: Clock = time.monotonic
) -> SqliteStore:
    """Open the store of a runs root; usable from any thread of this process.

    Args:
        runs_root: Directory of the runs.
        create: Make directory and database where there is none.
        clock: Unix seconds.
        monotonic: Seconds of a clock that does not jump and that all processes of this boot share.

    Raises:
        UsageError: There is none, and none shall be created.
        Refused: It would lie on a network file system.
        StoreDamaged: It is truncated, not ours, or of a newer version.
        StoreUnwritable: It cannot be created.
    """
    database = open_database(runs_root / DATABASE_NAME, create=create)
    return SqliteStore(runs_root, database, clock=clock, monotonic=monotonic)


class SqliteStore:
    """A `RunStore`; see the port for the contract."""

    def __init__(self, runs_root: Path, database: Database, *, clock: Clock, monotonic: Clock) -> None:
        self._root, self._database = runs_root, database
        self._clock, self._monotonic = clock, monotonic
        self._boot_id = boot_id()
        self._numbers: dict[str, int] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self._marker: tuple[Hashable, Hashable] = (None, None)

    @property
    def path(self) -> Path:
        """The database file."""
        return self._database.path

    def create_run(self, new: NewRun) -> None:
        """Make the run known. Raises `Refused` when the id is taken."""
        values = summary_values(new_summary(new))
        with self._database.writing() as connection:
            taken = connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (new.run_id,)).fetchone()
            if taken:
                raise Refused(f"there is a run {new.run_id} already", next_step=f"tcao show {new.run_id}")
            connection.execute(f"INSERT INTO runs ({SUMMARY_COLUMNS}) VALUES ({SUMMARY_MARKS})", values)

    def runs(self, *, limit: int = 10_000) -> list[RunSummary]:
        """All runs, newest first."""
        query = f"SELECT {SUMMARY_COLUMNS} FROM runs ORDER BY created_at DESC, number DESC LIMIT ?"
        with self._database.reading() as connection:
            found = connection.execute(query, (limit,)).fetchall()
        return [read_summary(row) for row in found]

    def run(self, run_id: str) -> RunSummary:
        """One run. Raises `UsageError` naming the nearest ids when there is none."""
        with self._database.reading() as connection:
            number = self._number(connection, run_id)
            query = f"SELECT {SUMMARY_COLUMNS} FROM runs WHERE number = ?"
            return read_summary(connection.execute(query, (number,)).fetchone())

    def read(self, run_id: str, cursor: Cursor, *, limit: int = 2_000, validations: bool = False) -> ReadBatch:
        """What lies past `cursor`, at most `limit` rows of each table, in one snapshot; see `RunStore`."""
        from tcao_tui.store import sqlite_rows as rows

        with self._database.reading() as connection:
            number = self._number(connection, run_id)
            past = partial(_past, connection, number, limit)
            events = past("events", rows.EVENT_COLUMNS, after=cursor.event)
            # A row must not come before the `Resumed` that makes sense of it: rows stop where the cut event stood.
            bound = events[limit][5] if len(events) > limit else _EVERY_ROW
            only = "batch IS NULL" if validations else "TRUE"
            metrics = past("metrics", rows.METRIC_COLUMNS, after=cursor.metric, bound=bound, only=only)
            spends = past("spends", rows.SPEND_COLUMNS, after=cursor.spend)
            names = self._names_of(connection, {row[6] for row in metrics})
        more = max(len(events), len(metrics), len(spends)) > limit
        events, metrics, spends = events[:limit], metrics[:limit], spends[:limit]
        return ReadBatch(
            events=[rows.read_event(run_id, row) for row in events],
            metrics=[rows.read_metric(row, names) for row in metrics],
            spends=[rows.read_spend(row) for row in spends],
            cursor=Cursor(
                event=events[-1][0] if events else cursor.event,
                metric=metrics[-1][0] if metrics else cursor.metric,
                spend=spends[-1][0] if spends else cursor.spend,
            ),
            more=more,
        )

    def end(self) -> Cursor:
        """Past everything that was committed to any run until now."""
        with self._database.reading() as connection:
            ends = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        return Cursor(ends.get("events", 0), ends.get("metrics", 0), ends.get("spends", 0))

    def approve(self, run_id: str, approval: Approval) -> None:
        """Record consent."""
        with self._database.writing() as connection:
            values = (approval.approval_hash, approval.how, approval.by, approval.at, approval.quote)
            connection.execute(
                "INSERT INTO approvals (run, approval_hash, how, by, at, quote) VALUES (?, ?, ?, ?, ?, ?)",
                (self._number(connection, run_id), *values),
            )

    def approvals(self, run_id: str) -> list[Approval]:
        """Consent given for this run, oldest first."""
        query = "SELECT approval_hash, how, by, at, quote FROM approvals WHERE run = ? ORDER BY number"
        with self._database.reading() as connection:
            found = connection.execute(query, (self._number(connection, run_id),)).fetchall()
        return [Approval(*row) for row in found]

    def post_control(self, run_id: str, verb: Verb, *, by: str, at: float, body: str = "") -> int:
        """Ask the worker for something; `body` is JSON. Returns the request's id."""
        with self._database.writing() as connection:
            values = (self._number(connection, run_id), verb, by, at, body)
            query = "INSERT INTO controls (run, verb, by, at, body) VALUES (?, ?, ?, ?, ?) RETURNING number"
            return int(connection.execute(query, values).fetchone()[0])

    def pending_controls(self, run_id: str) -> list[ControlRequest]:
        """Requests that no `ControlHandled` event answers yet, oldest first."""
        query = "SELECT number, verb, by, at, body FROM controls WHERE run = ? AND handled_at IS NULL ORDER BY number"
        with self._database.reading() as connection:
            found = connection.execute(query, (self._number(connection, run_id),)).fetchall()
        return [ControlRequest(number, run_id, verb, by, at, body) for number, verb, by, at, body in found]

    def lease(self, run_id: str) -> LeaseState:
        """Who holds the run now: a probe of the kernel lock plus the recorded heartbeat."""
        query = "SELECT pid, host, fence, boot_id, beat_at, beat_monotonic FROM leases WHERE run = ?"
        with self._database.reading() as connection:
            row = connection.execute(query, (self._number(connection, run_id),)).fetchone()
        held = RunLock.probe(self._root / run_id)
        if row is None:
            return LeaseState(held=held, heartbeat_age_seconds=None, pid=None, host="", fence=0)
        pid, host, fence, beat_boot, beat_at, beat_monotonic = row
        # Monotonic time stands still while the machine sleeps, so a laptop that wakes up shows no worker as lost.
        same_boot = bool(beat_boot) and beat_boot == self._boot_id
        age = self._monotonic() - beat_monotonic if same_boot else self._clock() - beat_at
        return LeaseState(held=held, heartbeat_age_seconds=max(0.0, age), pid=pid, host=host, fence=fence)

    def writer(self, run_id: str) -> SqliteWriter:
        """Open the next attempt: raises the fence, numbers the attempt. Only for the holder of the run's lock."""
        from tcao_tui.store.sqlite_writer import open_writer

        with self._database.reading() as connection:
            number = self._number(connection, run_id)
        return open_writer(self._database, number, run_id, clock=self._clock, monotonic=self._monotonic)

    @property
    def interviews(self) -> SqliteInterviews:
        """The interviews beside the runs."""
        from tcao_tui.store.sqlite_interviews import SqliteInterviews

        return SqliteInterviews(self._database)

    @property
    def evaluations(self) -> SqliteEvaluations:
        """The evaluations beside the runs."""
        from tcao_tui.store.sqlite_evaluations import SqliteEvaluations

        return SqliteEvaluations(self._database)

    @property
    def checkpoint_notes(self) -> SqliteNotes:
        """What people noted on checkpoints."""
        from tcao_tui.store.checkpoint_notes import SqliteNotes

        return SqliteNotes(self._database)

    def changes(self) -> Hashable:
        """A cheap value that differs once anything but a heartbeat was committed, by whomever, to any run."""
        with self._database.reading() as connection:
            version = connection.execute("PRAGMA data_version").fetchone()[0], connection.total_changes
            if version != self._marker[0]:
                sequences = connection.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name").fetchall()
                self._marker = version, tuple(sequences)
        return self._marker[1]

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    def _number(self, connection: sqlite3.Connection, run_id: str) -> int:
        number = self._numbers.get(run_id)
        if number is None:
            row = connection.execute("SELECT number FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                known = (r[0] for r in connection.execute("SELECT run_id FROM runs"))
                raise unknown_run(run_id, known)
            number = self._numbers[run_id] = int(row[0])
        return number

    def _names_of(self, connection: sqlite3.Connection, numbers: set[int]) -> dict[int, tuple[str, ...]]:
        for number in numbers - self._names.keys():
            row = connection.execute("SELECT keys FROM metric_keys WHERE number = ?", (number,)).fetchone()
            self._names[number] = tuple(json.loads(row[0]))
        return self._names


def _past(
    connection: sqlite3.Connection,
    number: int,
    limit: int,
    table: str,
    columns: str,
    *,
    after: int,
    bound: int = _EVERY_ROW,
    only: str = "TRUE",
) -> list[Row]:
    """One row more than `limit`, which says that there is more."""
    query = f"SELECT {columns} FROM {table} WHERE run = ? AND seq > ? AND seq <= ? AND {only} ORDER BY seq LIMIT ?"
    return connection.execute(query, (number, after, bound, limit + 1)).fetchall()


def unknown_run(run_id: str, known: Iterable[str]) -> UsageError:
    """The error for a run that is not there, with the ids that look like it."""
    return unknown("no run", run_id, known, next_step="tcao ls")
