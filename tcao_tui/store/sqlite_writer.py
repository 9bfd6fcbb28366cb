"""The worker's hand on its run in the SQLite store: every commit checks the fence in its own transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from functools import partial

from tcao_tui.domain.events import ControlHandled, MetricRow, RunEvent, Spend
from tcao_tui.domain.run_summary import summary_after
from tcao_tui.store import sqlite_rows as rows
from tcao_tui.store.database import Database
from tcao_tui.store.lease import process_identity
from tcao_tui.store.port import Fenced
from tcao_tui.store.summary_rows import SUMMARY_COLUMNS, SUMMARY_MARKS, Row, is_kept, read_summary, summary_values

Clock = Callable[[], float]

_PUT_EVENT = "INSERT INTO events (run, attempt, at, kind, body, metrics_before) VALUES (?, ?, ?, ?, ?, ?)"
_PUT_METRIC = "INSERT INTO metrics (run, attempt, step, at, epoch, batch, keys, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_SPEND = "INSERT INTO spends (run, attempt, at, kind, step, tokens, usd) VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_LEASE = (
    "INSERT OR REPLACE INTO leases (run, fence, attempt, pid, start_ticks, boot_id, host, beat_at, beat_monotonic) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_HANDLE = "UPDATE controls SET handled_at = ? WHERE number = ? AND run = ? AND handled_at IS NULL"
_SET_SUMMARY = f"UPDATE runs SET ({SUMMARY_COLUMNS}) = ({SUMMARY_MARKS}) WHERE number = ?"


class SqliteWriter:
    """Writer of one attempt; made by `open_writer`."""

    def __init__(
        self, database: Database, run: int, run_id: str, *, attempt: int, fence: int, clock: Clock, monotonic: Clock
    ) -> None:
        self._database, self._run, self._run_id = database, run, run_id
        self._clock, self._monotonic = clock, monotonic
        self._keys: dict[tuple[str, ...], int] = {}
        self.attempt = attempt
        self.fence = fence

    def commit(
        self,
        *,
        events: Sequence[RunEvent] = (),
        metrics: Sequence[MetricRow] = (),
        spends: Sequence[Spend] = (),
    ) -> None:
        """Append all or nothing. Raises `Fenced`, `StoreUnwritable` or `StoreDamaged`."""
        at = self._clock()
        with self._database.writing() as connection:
            self._check_fence(connection)
            self._put_events(connection, events, at)
            if metrics:
                connection.executemany(_PUT_METRIC, [self._metric_values(connection, row) for row in metrics])
            connection.executemany(
                _PUT_SPEND, [(self._run, self.attempt, at, s.kind, s.step, s.tokens, s.usd) for s in spends]
            )
            self._update_summary(connection, at, events, metrics, spends)

    def heartbeat(self) -> None:
        """Say that the worker lives. Raises `Fenced`, `StoreUnwritable` or `StoreDamaged`."""
        with self._database.writing() as connection:
            self._check_fence(connection)
            connection.execute(
                "UPDATE leases SET beat_at = ?, beat_monotonic = ? WHERE run = ?",
                (self._clock(), self._monotonic(), self._run),
            )

    def _check_fence(self, connection: sqlite3.Connection) -> None:
        newest: int = connection.execute("SELECT fence FROM leases WHERE run = ?", (self._run,)).fetchone()[0]
        if newest != self.fence:
            raise Fenced(
                f"another worker took {self._run_id}: this one has fence {self.fence}, the newest is {newest}",
                where=f"attempt {self.attempt}",
                next_step=f"tcao watch {self._run_id}",
            )

    def _put_events(self, connection: sqlite3.Connection, events: Sequence[RunEvent], at: float) -> None:
        if not events:
            return
        found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'metrics'").fetchone()
        before = found[0] if found else 0
        connection.executemany(
            _PUT_EVENT, [(self._run, self.attempt, at, e.kind, rows.event_body(e), before) for e in events]
        )
        for event in events:
            if isinstance(event, ControlHandled):
                connection.execute(_HANDLE, (at, event.request_id, self._run))

    def _metric_values(self, connection: sqlite3.Connection, row: MetricRow) -> Row:
        keys = self._keys_number(connection, tuple(row.values))
        body = rows.pack(tuple(row.values.values()))
        return (self._run, row.attempt, row.step, row.at, row.epoch, row.batch, keys, body)

    def _keys_number(self, connection: sqlite3.Connection, keys: tuple[str, ...]) -> int:
        number = self._keys.get(keys)
        if number is None:
            text = json.dumps(keys)
            connection.execute("INSERT OR IGNORE INTO metric_keys (keys) VALUES (?)", (text,))
            number = connection.execute("SELECT number FROM metric_keys WHERE keys = ?", (text,)).fetchone()[0]
            self._keys[keys] = number
        return number

    def _update_summary(
        self,
        connection: sqlite3.Connection,
        at: float,
        events: Sequence[RunEvent],
        metrics: Sequence[MetricRow],
        spends: Sequence[Spend],
    ) -> None:
        found = connection.execute(f"SELECT {SUMMARY_COLUMNS} FROM runs WHERE number = ?", (self._run,))
        summary = summary_after(
            read_summary(found.fetchone()),
            attempt=self.attempt,
            at=at,
            events=events,
            metrics=metrics,
            spends=spends,
            last_until=partial(self._last_until, connection),
        )
        connection.execute(_SET_SUMMARY, (*summary_values(summary), self._run))

    def _last_until(self, connection: sqlite3.Connection, step: int, wanted: Collection[str]) -> dict[str, float]:
        """The last values of metrics in rows up to `step`, from the newest row backwards."""
        found: dict[str, float] = {}
        query = (
            "SELECT k.keys, m.body, m.attempt, m.step FROM metrics m JOIN metric_keys k ON k.number = m.keys "
            "WHERE m.run = ? AND m.attempt < ? AND m.step <= ? ORDER BY m.seq DESC"
        )
        resumed = "SELECT attempt, body FROM events WHERE run = ? AND kind = 'resumed'"
        resumes = [(a, json.loads(body)["step"]) for a, body in connection.execute(resumed, (self._run,))]
        with closing(connection.execute(query, (self._run, self.attempt, step))) as older:
            for keys, body, attempt, row_step in older:
                if not is_kept(attempt, row_step, resumes):
                    continue
                values = dict(zip(json.loads(keys), rows.unpack(body), strict=True))
                found = {key: value for key, value in values.items() if key in wanted} | found
                if len(found) == len(wanted):
                    break
        return found


def open_writer(database: Database, run: int, run_id: str, *, clock: Clock, monotonic: Clock) -> SqliteWriter:
    """Raise the fence and number the next attempt, in one transaction."""
    who = process_identity()
    with database.writing() as connection:
        query = (
            "SELECT coalesce(l.fence, 0), max(coalesce(l.attempt, 0), r.attempt) "
            "FROM runs r LEFT JOIN leases l ON l.run = r.number WHERE r.number = ?"
        )
        last_fence, last_attempt = connection.execute(query, (run,)).fetchone()
        fence, attempt = last_fence + 1, last_attempt + 1
        identity = (who.pid, who.start_ticks, who.boot_id, who.host)
        connection.execute(_PUT_LEASE, (run, fence, attempt, *identity, clock(), monotonic()))
    return SqliteWriter(database, run, run_id, attempt=attempt, fence=fence, clock=clock, monotonic=monotonic)
