"""Reads all metric rows of a run of our store into spilling columns; only the column loader uses it.

It means what `domain.run_state.RunState` means: rows that a resume superseded are counted and left out, a step that
comes again replaces its value.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tcao_tui.store.bulk_rows import extends
from tcao_tui.store.spill import Ints, Reals, SpillColumn
from tcao_tui.store.sqlite_sample import Lineage, read_lineage

_CHUNK_ROWS = 8_000
_PACE_ROWS = 50

type _Row = tuple[int, int, int, float, int | None, int, bytes]


@dataclass(slots=True)
class StoreCounts:
    """What was read of a run, kept with its column cache.

    Attributes:
        metric, spend: Sequence numbers of the last rows read.
        resumes: Attempts that went on from an earlier one, and from which step.
        trained_by: The last attempt that trained any of the rows.
        step: The last trained step of the present lineage.
        updated_at: Unix seconds of the newest row.
        pace: Step and Unix time of the newest trained rows.
        tokens, cost_usd: Sums of the ledger; a cost of None is unknown.
    """

    metric: int = 0
    spend: int = 0
    resumes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    trained_by: int = 0
    step: int = 0
    rows: int = 0
    superseded_rows: int = 0
    updated_at: float = 0.0
    pace: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    tokens: int = 0
    cost_usd: float | None = 0.0


class RunColumns:
    """Columns of one run as they fill.

    Args:
        new_column: Makes the column of a key that was not seen before.
        columns: Columns so far, by key.
        counts: What was read so far.
    """

    def __init__(
        self, new_column: Callable[[], SpillColumn], columns: dict[str, SpillColumn], counts: StoreCounts
    ) -> None:
        self._new_column = new_column
        self.columns = columns
        self.counts = counts

    def read(self, connection: sqlite3.Connection, run: int, say: Callable[[float], None]) -> None:
        """Read what lies past `counts`; every resume that `counts` does not know must be newer than its rows.

        Raises:
            sqlite3.Error: The database cannot be read.
        """
        lineage = read_lineage(connection, run)
        self.counts.resumes = lineage.resumes
        names = {n: tuple(json.loads(keys)) for n, keys in connection.execute("SELECT * FROM metric_keys")}
        first = self.counts.metric
        last = connection.execute("SELECT max(seq) FROM metrics WHERE run = ?", (run,)).fetchone()[0] or 0
        query = "SELECT seq, attempt, step, at, batch, keys, body FROM metrics WHERE run = ? AND seq > ? ORDER BY seq"
        cursor = connection.execute(query, (run, first))
        while rows := cursor.fetchmany(_CHUNK_ROWS):
            self._add(rows, names, lineage)
            say((self.counts.metric - first) / max(1, last - first))
        self._read_spends(connection, run)

    def _read_spends(self, connection: sqlite3.Connection, run: int) -> None:
        query = "SELECT max(seq), sum(tokens), sum(usd), count(*) - count(usd) FROM spends WHERE run = ? AND seq > ?"
        last, tokens, usd, unknown = connection.execute(query, (run, self.counts.spend)).fetchone()
        if last is None:
            return
        counts = self.counts
        counts.spend, counts.tokens = last, counts.tokens + tokens
        counts.cost_usd = None if unknown or counts.cost_usd is None else counts.cost_usd + (usd or 0.0)

    def _add(self, rows: list[_Row], names: dict[int, tuple[str, ...]], lineage: Lineage) -> None:
        counts = self.counts
        counts.metric = rows[-1][0]
        counts.rows += len(rows)
        attempts = {row[1] for row in rows}
        kept = rows
        if any(lineage.last_step(attempt) is not None for attempt in attempts):
            kept = [row for row in rows if lineage.holds(row[1], row[2])]
        all_trained, trained = _trained(rows), _trained(kept)
        counts.superseded_rows += len(all_trained) - len(trained)
        counts.trained_by = max([counts.trained_by, *(row[1] for row in all_trained[-1:])])
        counts.updated_at = max([counts.updated_at, *(row[3] for row in kept)])
        counts.step = max([counts.step, *(row[2] for row in trained)])
        counts.pace = [*counts.pace, *((row[2], row[3]) for row in trained[-_PACE_ROWS:])][-_PACE_ROWS:]
        table = _table(kept, names)
        if extends(self.columns, table):
            for key, (steps, values) in table.items():
                self._column(key).extend(steps, values)
            return
        for key, (steps, values) in table.items():
            column = self._column(key)
            for step, value in zip(steps.tolist(), values.tolist(), strict=True):
                column.append(step, value)

    def _column(self, key: str) -> SpillColumn:
        if key not in self.columns:
            self.columns[key] = self._new_column()
        return self.columns[key]


def _trained(rows: list[_Row]) -> list[_Row]:
    return [row for row in rows if row[4] is not None]


def _table(rows: list[_Row], names: dict[int, tuple[str, ...]]) -> dict[str, tuple[Ints, Reals]]:
    """Steps and values of each key, in the order of the rows."""
    layouts: dict[int, tuple[list[int], list[int], list[bytes]]] = {}
    for number in {row[5] for row in rows}:
        found_at = [place for place, row in enumerate(rows) if row[5] == number]
        layouts[number] = found_at, [rows[place][2] for place in found_at], [rows[place][6] for place in found_at]
    parts: dict[str, list[tuple[Ints, Reals, Ints]]] = {}
    for number, (places, steps, bodies) in layouts.items():
        keys = names[number]
        matrix = np.frombuffer(b"".join(bodies), dtype="<f8").reshape(len(bodies), len(keys))
        at, order = np.array(steps, dtype=np.int64), np.array(places, dtype=np.int64)
        for i, key in enumerate(keys):
            parts.setdefault(key, []).append((at, matrix[:, i], order))
    table: dict[str, Any] = {}
    for key, found in parts.items():
        order = np.argsort(np.concatenate([places for _, _, places in found]))
        one = len(found) == 1
        steps = found[0][0] if one else np.concatenate([s for s, _, _ in found])[order]
        table[key] = (steps, found[0][1] if one else np.concatenate([v for _, v, _ in found])[order])
    return table
