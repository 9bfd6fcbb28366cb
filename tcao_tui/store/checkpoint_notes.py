"""What people noted on checkpoints, by `tinker://` path: labels and pins. The contract, in memory and in SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from tcao_tui.domain.checkpoint_listing import NO_NOTE, CheckpointNote
from tcao_tui.store.database import Database


class CheckpointNotes(Protocol):
    """Notes beside the runs of one root; any process may write them, and a worker reads them before it deletes."""

    def all(self) -> Mapping[str, CheckpointNote]:
        """Notes by path."""
        ...

    def write(self, paths: Sequence[str], *, label: str | None = None, pinned: bool | None = None) -> None:
        """Note the same on each path, all or nothing; None leaves what is noted."""
        ...


class MemoryNotes:
    """`CheckpointNotes` that do not survive the process; for one thread."""

    def __init__(self) -> None:
        self._notes: dict[str, CheckpointNote] = {}

    def all(self) -> Mapping[str, CheckpointNote]:
        """Notes by path."""
        return dict(self._notes)

    def write(self, paths: Sequence[str], *, label: str | None = None, pinned: bool | None = None) -> None:
        """Note the same on each path; None leaves what is noted."""
        for path in paths:
            self._notes[path] = _after(self._notes.get(path, NO_NOTE), label, pinned)


class SqliteNotes:
    """`CheckpointNotes` of the SQLite store; usable from any thread of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, CheckpointNote]:
        """Notes by path."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT path, label, pinned FROM checkpoint_notes").fetchall()
        return {path: CheckpointNote(label, bool(pinned)) for path, label, pinned in rows}

    def write(self, paths: Sequence[str], *, label: str | None = None, pinned: bool | None = None) -> None:
        """Note the same on each path, all or nothing; None leaves what is noted. Raises `StoreUnwritable`."""
        query = "SELECT label, pinned FROM checkpoint_notes WHERE path = ?"
        with self._database.writing() as connection:
            for path in paths:
                row = connection.execute(query, (path,)).fetchone()
                note = _after(CheckpointNote(row[0], bool(row[1])) if row else NO_NOTE, label, pinned)
                connection.execute(
                    "INSERT OR REPLACE INTO checkpoint_notes (path, label, pinned) VALUES (?, ?, ?)",
                    (path, note.label, note.pinned),
                )


def _after(note: CheckpointNote, label: str | None, pinned: bool | None) -> CheckpointNote:
    note = note if label is None else replace(note, label=label)
    return note if pinned is None else replace(note, pinned=pinned)
