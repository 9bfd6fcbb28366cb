"""The evaluations of the SQLite store; see `evaluations` for the contract, `schema` for the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, Choice, EvaluationRecord, ItemResult
from tcao_tui.store.database import Database
from tcao_tui.store.evaluation_rows import (
    ITEM_COLUMNS,
    evaluation_taken,
    item_row,
    place_of,
    places,
    read_item,
    unknown_evaluation,
)
from tcao_tui.store.evaluations import EvaluationSummary

_LISTED = f"""
SELECT evaluation_id, title, run_id,
    (SELECT count(*) FROM eval_cells WHERE evaluation = evaluations.number),
    (SELECT count(*) FROM eval_cells WHERE evaluation = evaluations.number AND state = '{CellState.DONE}'),
    created_at, updated_at, changes
FROM evaluations WHERE run_id = :run_id OR :run_id IS NULL ORDER BY created_at DESC, number DESC LIMIT :limit
"""
_PUT_ITEM = f"""
INSERT INTO eval_items (evaluation, place, {ITEM_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (evaluation, place, item) DO UPDATE SET value = excluded.value, cluster = excluded.cluster,
    truncated = excluded.truncated, error = excluded.error, epochs = excluded.epochs, tokens = excluded.tokens
"""


class SqliteEvaluations:
    """An `EvaluationStore`; usable from any thread of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._places: dict[str, tuple[int, dict[CellKey, int]]] = {}

    def create_evaluation(self, record: EvaluationRecord) -> None:
        """Make it known, each cell waiting. Raises `Refused` when the id is taken."""
        known, spec = record.evaluation_id, record.spec
        values = (known, spec.title, spec.run_id, record.model_dump_json(), record.created_at, record.created_at)
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM evaluations WHERE evaluation_id = ?", (known,)).fetchone():
                raise evaluation_taken(known)
            query = (
                "INSERT INTO evaluations (evaluation_id, title, run_id, body, created_at, updated_at, changes) "
                "VALUES (?, ?, ?, ?, ?, ?, 0) RETURNING number"
            )
            number = connection.execute(query, values).fetchone()[0]
            for key, place in places(spec).items():
                _put_cell(connection, number, place, CellRecord(task=key.task, subject=key.subject))

    def evaluation(self, evaluation_id: str) -> EvaluationRecord:
        """What was asked for. Raises `UsageError` that names the nearest ids when there is none."""
        with self._database.reading() as connection:
            return _record(connection, evaluation_id)[1]

    def evaluations(self, *, run_id: str | None = None, limit: int = 1_000) -> list[EvaluationSummary]:
        """All, or those of a run, the newest first."""
        with self._database.reading() as connection:
            found = connection.execute(_LISTED, {"run_id": run_id, "limit": limit})
            return [EvaluationSummary(*row) for row in found]

    def cells(self, evaluation_id: str) -> list[CellRecord]:
        """The cells, task by task in the order of the spec. Raises `UsageError` when there is no such evaluation."""
        with self._database.reading() as connection:
            number, _ = self._known(connection, evaluation_id)
            query = "SELECT body FROM eval_cells WHERE evaluation = ? ORDER BY place"
            return [CellRecord.model_validate_json(body) for (body,) in connection.execute(query, (number,))]

    def write_cell(self, evaluation_id: str, cell: CellRecord, items: Sequence[ItemResult] = (), *, at: float) -> None:
        """Replace a cell, and add or replace items of it, all or nothing; see `EvaluationStore`."""
        with self._database.writing() as connection:
            number, spec_places = self._known(connection, evaluation_id)
            place = place_of(spec_places, evaluation_id, cell.key)
            _put_cell(connection, number, place, cell)
            connection.executemany(_PUT_ITEM, [(number, place, *item_row(found)) for found in items])
            connection.execute(
                "UPDATE evaluations SET updated_at = ?, changes = changes + 1 WHERE number = ?", (at, number)
            )

    def items(
        self, evaluation_id: str, cells: Collection[CellKey] | None = None
    ) -> Mapping[CellKey, Sequence[ItemResult]]:
        """Results of some cells, or of all, each in the order in which they came first."""
        query = f"SELECT {ITEM_COLUMNS} FROM eval_items WHERE evaluation = ? AND place = ? ORDER BY seq"
        with self._database.reading() as connection:
            number, spec_places = self._known(connection, evaluation_id)
            wanted = spec_places if cells is None else {k: place_of(spec_places, evaluation_id, k) for k in cells}
            return {
                key: [read_item(row) for row in connection.execute(query, (number, place))]
                for key, place in wanted.items()
            }

    def choose(self, choice: Choice) -> None:
        """Record a person's choice of weights."""
        with self._database.writing() as connection:
            values = (choice.run_id, choice.model_dump_json())
            connection.execute("INSERT INTO eval_choices (run_id, body) VALUES (?, ?)", values)

    def choices(self, run_id: str) -> list[Choice]:
        """All choices of a run, the newest last."""
        query = "SELECT body FROM eval_choices WHERE run_id = ? ORDER BY number"
        with self._database.reading() as connection:
            return [Choice.model_validate_json(body) for (body,) in connection.execute(query, (run_id,))]

    def _known(self, connection: sqlite3.Connection, evaluation_id: str) -> tuple[int, dict[CellKey, int]]:
        """Its number and the places of its cells, which never change."""
        if evaluation_id not in self._places:
            number, record = _record(connection, evaluation_id)
            self._places[evaluation_id] = number, places(record.spec)
        return self._places[evaluation_id]


def _record(connection: sqlite3.Connection, evaluation_id: str) -> tuple[int, EvaluationRecord]:
    query = "SELECT number, body FROM evaluations WHERE evaluation_id = ?"
    row = connection.execute(query, (evaluation_id,)).fetchone()
    if row is None:
        known = (r[0] for r in connection.execute("SELECT evaluation_id FROM evaluations"))
        raise unknown_evaluation(evaluation_id, known)
    return row[0], EvaluationRecord.model_validate_json(row[1])


def _put_cell(connection: sqlite3.Connection, number: int, place: int, cell: CellRecord) -> None:
    # A new row with each change: its number is what tells readers that something changed.
    connection.execute(
        "INSERT OR REPLACE INTO eval_cells (evaluation, place, state, body) VALUES (?, ?, ?, ?)",
        (number, place, str(cell.state), cell.model_dump_json()),
    )
