"""Metric rows of a long run without reading it whole, and which rows a resume superseded; loads no pydantic."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.store.column_cache import CachedColumns

_END_ROWS = 100


@dataclass(frozen=True, slots=True)
class SampledMetrics:
    """Rows spread over a run, oldest first.

    Attributes:
        rows: Step and numbers by key, of the present lineage only.
        expected_rows: Metric rows of the run, estimated from above.
    """

    rows: list[tuple[int, dict[str, float]]]
    expected_rows: int


class Lineage:
    """Tells rows that count from rows that a later attempt trained anew.

    Args:
        resumes: Attempt and the step that it went on from.
    """

    def __init__(self, resumes: Iterable[tuple[int, int]]) -> None:
        self.resumes = sorted(resumes)
        self._attempts = [attempt for attempt, _ in self.resumes]
        self._steps = [step for _, step in self.resumes]
        for i in range(len(self._steps) - 2, -1, -1):
            self._steps[i] = min(self._steps[i], self._steps[i + 1])

    def last_step(self, attempt: int) -> int | None:
        """The last step of `attempt` that still counts; None when all of them do."""
        later = bisect_right(self._attempts, attempt)
        return self._steps[later] if later < len(self._steps) else None

    def holds(self, attempt: int, step: int) -> bool:
        """Whether a row counts."""
        last = self.last_step(attempt)
        return last is None or step <= last


def open_read_only(database: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises `sqlite3.Error`."""
    return sqlite3.connect(
        f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )


def run_number(connection: sqlite3.Connection, run_id: str) -> int:
    """Number of a run in the database. Raises `sqlite3.DataError` when there is no such run."""
    found = connection.execute("SELECT number FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    if found is None:
        raise sqlite3.DataError(f"there is no run {run_id}")
    return int(found[0])


def row_mark(connection: sqlite3.Connection, run: int, seq: int) -> dict[str, str]:
    """Says what metric row `seq` looks like: rows never change, so another one means another database."""
    query = "SELECT seq, attempt, step, at, body FROM metrics WHERE run = ? AND seq = ?"
    row = connection.execute(query, (run, seq)).fetchone()
    return {"row": hashlib.blake2b(repr(row).encode(), digest_size=16).hexdigest()}


def store_fits(connection: sqlite3.Connection, run: int, cached: CachedColumns) -> bool:
    """Whether cached columns belong to this run and no attempt resumed since, which would supersede some of them."""
    metric, resumes = cached.counts.get("metric"), cached.counts.get("resumes")
    if not isinstance(metric, int) or row_mark(connection, run, metric) != cached.mark:
        return False
    return [list(resume) for resume in read_lineage(connection, run).resumes] == resumes


def read_lineage(connection: sqlite3.Connection, run: int) -> Lineage:
    """How the attempts of a run, by its number in the database, go on from each other.

    An attempt that found no checkpoint trains from the start, and no event but its first trained row says so.
    """
    query = "SELECT kind, attempt, body, metrics_before FROM events WHERE run = ? AND kind IN ('launched', 'resumed')"
    first_row = "SELECT attempt, step FROM metrics WHERE run = ? AND seq > ? AND batch IS NOT NULL ORDER BY seq LIMIT 1"
    resumes: dict[int, int] = {}
    for kind, attempt, body, rows_before in connection.execute(query, (run,)).fetchall():
        if kind == "resumed":
            resumes[attempt] = int(json.loads(body)["step"])
        else:
            first = connection.execute(first_row, (run, rows_before)).fetchone()
            if first is not None and first[0] == attempt:
                resumes.setdefault(attempt, first[1] - 1)
    return Lineage(resumes.items())


def sample_metrics(connection: sqlite3.Connection, run: int, count: int) -> SampledMetrics:
    """The head, the tail and about `count` rows between, found by their sequence numbers."""
    span = "SELECT min(seq), max(seq) FROM metrics WHERE run = ?"
    first, last = connection.execute(span, (run,)).fetchone()
    if first is None:
        return SampledMetrics([], 0)
    columns = "SELECT seq, attempt, step, keys, body FROM metrics WHERE run = ?"
    found = connection.execute(f"{columns} ORDER BY seq LIMIT {_END_ROWS}", (run,)).fetchall()
    found += connection.execute(f"{columns} ORDER BY seq DESC LIMIT {_END_ROWS}", (run,)).fetchall()
    for i in range(1, count + 1):
        at = first + (last - first) * i // (count + 1)
        found += connection.execute(f"{columns} AND seq >= ? ORDER BY seq LIMIT 1", (run, at)).fetchall()
    names = {number: tuple(json.loads(keys)) for number, keys in connection.execute("SELECT * FROM metric_keys")}
    lineage = read_lineage(connection, run)
    rows = [
        (step, dict(zip(names[keys], struct.unpack(f"<{len(body) // 8}d", body), strict=True)))
        for _, attempt, step, keys, body in sorted(set(found))
        if lineage.holds(attempt, step)
    ]
    return SampledMetrics(rows, last - first + 1)
