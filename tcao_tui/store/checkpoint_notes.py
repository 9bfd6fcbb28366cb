"""What is noted on checkpoints, by `tinker://` path: labels, pins, expiries. The contract, in memory and in SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from tcao_tui.domain.checkpoint_listing import NO_NOTE, CheckpointNote, SetExpiry
from tcao_tui.store.database import Database

_COLUMNS = "label, pinned, expires_at, expiry_set_at"


class CheckpointNotes(Protocol):
    """Notes beside the runs of one root; any process may write them, and a worker reads them before it deletes."""

    def all(self) -> Mapping[str, CheckpointNote]:
        """Notes by path."""
        ...

    def write(
        self,
        paths: Sequence[str],
        *,
        label: str | None = None,
        pinned: bool | None = None,
        expiry: SetExpiry | None = None,
    ) -> None:
        """Note the same on each path, all or nothing; None leaves what is noted."""
        ...


class MemoryNotes:
    """`CheckpointNotes` that do not survive the process; for one thread."""

    def __init__(self) -> None:
        self._notes: dict[str, CheckpointNote] = {}

    def all(self) -> Mapping[str, CheckpointNote]:
        """Notes by path."""
        return dict(self._notes)

    def write(
        self,
        paths: Sequence[str],
        *,
        label: str | None = None,
        pinned: bool | None = None,
        expiry: SetExpiry | None = None,
    ) -> None:
        """Note the same on each path; None leaves what is noted."""
        for path in paths:
            self._notes[path] = _after(self._notes.get(path, NO_NOTE), label, pinned, expiry)


class SqliteNotes:
    """`CheckpointNotes` of the SQLite store; usable from any thread of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, CheckpointNote]:
        """Notes by path."""
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT path, {_COLUMNS} FROM checkpoint_notes").fetchall()
        return {path: _note(*noted) for path, *noted in rows}

    def write(
        self,
        paths: Sequence[str],
        *,
        label: str | None = None,
        pinned: bool | None = None,
        expiry: SetExpiry | None = None,
    ) -> None:
        """Note the same on each path, all or nothing; None leaves what is noted. Raises `StoreUnwritable`."""
        query = f"SELECT {_COLUMNS} FROM checkpoint_notes WHERE path = ?"
        with self._database.writing() as connection:
            for path in paths:
                row = connection.execute(query, (path,)).fetchone()
                note = _after(_note(*row) if row else NO_NOTE, label, pinned, expiry)
                expires_at, set_at = (note.expiry.expires_at, note.expiry.at) if note.expiry else (None, None)
                connection.execute(
                    f"INSERT OR REPLACE INTO checkpoint_notes (path, {_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
                    (path, note.label, note.pinned, expires_at, set_at),
                )


def _note(label: str, pinned: int, expires_at: float | None, set_at: float | None) -> CheckpointNote:
    return CheckpointNote(label, bool(pinned), None if set_at is None else SetExpiry(set_at, expires_at))


def _after(note: CheckpointNote, label: str | None, pinned: bool | None, expiry: SetExpiry | None) -> CheckpointNote:
    note = note if label is None else replace(note, label=label)
    note = note if pinned is None else replace(note, pinned=pinned)
    return note if expiry is None else replace(note, expiry=expiry)
