"""The interviews of the SQLite store; see `interviews` for the contract, `schema` for the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple

from tcao_tui.domain.interview import Entry, StoredEntry, parse_entry
from tcao_tui.store.database import Database
from tcao_tui.store.interview_rows import entry_body, summary_after, taken, unknown_interview, went_on_elsewhere
from tcao_tui.store.interviews import InterviewSummary

_COLUMNS = "interview_id, title, status, run_id, created_at, updated_at"


class SqliteInterviews:
    """An `InterviewStore`; usable from any thread of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_interview(self, interview_id: str, *, at: float) -> None:
        """Make an interview known. Raises `Refused` when the id is taken."""
        values = astuple(InterviewSummary(interview_id, "", "open", "", at, at))
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM interviews WHERE interview_id = ?", (interview_id,)).fetchone():
                raise taken(interview_id)
            connection.execute(f"INSERT INTO interviews ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)

    def append(self, interview_id: str, entries: Sequence[Entry], *, after: int, at: float) -> list[StoredEntry]:
        """Append all or nothing. Raises `Refused` when the interview went on elsewhere, `UsageError` for no such."""
        rows = [(entry.kind, entry_body(entry)) for entry in entries]
        with self._database.writing() as connection:
            number, summary = _interview(connection, interview_id)
            last = connection.execute(
                "SELECT coalesce(max(seq), 0) FROM interview_entries WHERE interview = ?", (number,)
            ).fetchone()[0]
            if last != after:
                raise went_on_elsewhere(interview_id)
            query = "INSERT INTO interview_entries (interview, at, kind, body) VALUES (?, ?, ?, ?) RETURNING seq"
            places = [connection.execute(query, (number, at, kind, body)).fetchone()[0] for kind, body in rows]
            _write_summary(connection, number, summary_after(summary, entries, at))
        return [
            StoredEntry(seq=seq, interview_id=interview_id, at=at, entry=parse_entry(kind, body))
            for seq, (kind, body) in zip(places, rows, strict=True)
        ]

    def entries(self, interview_id: str, *, after: int = 0) -> list[StoredEntry]:
        """Entries past a place, in order. Raises `UsageError` that names the nearest ids when there is none."""
        query = "SELECT seq, at, kind, body FROM interview_entries WHERE interview = ? AND seq > ? ORDER BY seq"
        with self._database.reading() as connection:
            number, _ = _interview(connection, interview_id)
            rows = connection.execute(query, (number, after)).fetchall()
        return [
            StoredEntry(seq=seq, interview_id=interview_id, at=at, entry=parse_entry(kind, body))
            for seq, at, kind, body in rows
        ]

    def interviews(self, *, limit: int = 1_000) -> list[InterviewSummary]:
        """All interviews, the one that moved last first."""
        query = f"SELECT {_COLUMNS} FROM interviews ORDER BY updated_at DESC, number DESC LIMIT ?"
        with self._database.reading() as connection:
            return [InterviewSummary(*row) for row in connection.execute(query, (limit,))]


def _interview(connection: sqlite3.Connection, interview_id: str) -> tuple[int, InterviewSummary]:
    query = f"SELECT number, {_COLUMNS} FROM interviews WHERE interview_id = ?"
    row = connection.execute(query, (interview_id,)).fetchone()
    if row is None:
        known = (r[0] for r in connection.execute("SELECT interview_id FROM interviews"))
        raise unknown_interview(interview_id, known)
    return row[0], InterviewSummary(*row[1:])


def _write_summary(connection: sqlite3.Connection, number: int, summary: InterviewSummary) -> None:
    connection.execute(
        "UPDATE interviews SET title = ?, status = ?, run_id = ?, updated_at = ? WHERE number = ?",
        (summary.title, summary.status, summary.run_id, summary.updated_at, number),
    )
