"""Opening a run of very many steps: a sample at once, the whole from a column cache that a helper process fills.

The rewinds of resumed attempts are taken into account by both, so that what is shown is one lineage.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from tcao_tui.domain.run_state import FoldedMetrics
from tcao_tui.domain.series import Series
from tcao_tui.store.column_cache import cache_folder, open_columns
from tcao_tui.store.loader_process import LoaderProcess, LoaderState
from tcao_tui.store.sqlite_sample import open_read_only, run_number, sample_metrics, store_fits

LONG_RUN_STEPS = 20_000
"""From here on a run is opened by sampling; fewer rows are folded in well under a second."""

_SAMPLE_ROWS = 800
_ROWS_READ_ROW_BY_ROW = 10_000


@runtime_checkable
class FileStore(Protocol):
    """A store in one database file, which can be sampled here and read whole by a helper process."""

    @property
    def path(self) -> Path:
        """The database file."""
        ...


@dataclass(slots=True)
class Sample:
    """What is shown while the whole is being read; `expected_rows` is estimated from above."""

    series: dict[str, Series] = field(default_factory=dict[str, Series])
    rows: int = 0
    expected_rows: int = 0


@dataclass(frozen=True, slots=True)
class Whole:
    """All that was read into the cache, and the sequence numbers after which a reader goes on."""

    metrics: FoldedMetrics
    metric: int
    spend: int


class LongRun:
    """The opening of one long run.

    Args:
        database: The run store's file.
        run_id: Full id of the run.
        cache_dir: Where column caches are kept.
        start_loader: Starts the helper process.

    Attributes:
        sample: What to show meanwhile.
        failed: Why the helper could not do it, so that the run has to be read row by row; empty otherwise.
    """

    def __init__(
        self,
        database: Path,
        run_id: str,
        cache_dir: Path,
        *,
        start_loader: Callable[[list[str]], LoaderProcess],
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._folder = cache_folder(cache_dir, f"{database.absolute()}\n{run_id}")
        self._start_loader = start_loader
        self._loader: LoaderProcess | None = None
        self._whole: Whole | None = None
        self.sample = Sample()
        self.failed = ""

    @property
    def note(self) -> str:
        """Says to a person what is shown and how far the rest is."""
        done = self._loader.done if self._loader is not None else 0.0
        of = f"{self.sample.rows:,} of at most {self.sample.expected_rows:,} rows"
        return f"sampled: {of}; the rest is being read ({done:.0%})"

    def poll(self) -> Whole | None:
        """Start or watch the helper; returns the whole once it is there."""
        if self._whole is not None or self.failed:
            return self._whole
        try:
            if self._loader is None:
                self._open()
            elif (state := self._loader.poll()) is not LoaderState.RUNNING:
                with closing(open_read_only(self._database)) as connection:
                    self._whole = self._from_cache(connection)
                if self._whole is None or state is LoaderState.FAILED:
                    self._whole, self.failed = None, "the helper process could not write the column cache"
        except (OSError, sqlite3.Error) as error:
            self.failed = str(error)
        return self._whole

    def close(self) -> None:
        """End the helper process."""
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def _open(self) -> None:
        with closing(open_read_only(self._database)) as connection:
            cached = self._from_cache(connection)
            if cached is not None and self._rows_after(connection, cached.metric) <= _ROWS_READ_ROW_BY_ROW:
                self._whole = cached
                return
            self._loader = self._start_loader(["store", str(self._database), self._run_id, str(self._folder)])
            found = sample_metrics(connection, run_number(connection, self._run_id), _SAMPLE_ROWS)
        for step, values in found.rows:
            for key, value in values.items():
                self.sample.series.setdefault(key, Series()).append(step, value)
        self.sample.rows, self.sample.expected_rows = len(found.rows), found.expected_rows

    def _rows_after(self, connection: sqlite3.Connection, seq: int) -> int:
        query = "SELECT count(*) FROM (SELECT 1 FROM metrics WHERE run = ? AND seq > ? LIMIT ?)"
        number = run_number(connection, self._run_id)
        return int(connection.execute(query, (number, seq, _ROWS_READ_ROW_BY_ROW + 1)).fetchone()[0])

    def _from_cache(self, connection: sqlite3.Connection) -> Whole | None:
        cached = open_columns(self._folder)
        if cached is None or not store_fits(connection, run_number(connection, self._run_id), cached):
            return None
        counts = cached.counts
        try:
            metrics = FoldedMetrics(
                series=cached.series,
                resumes=[(attempt, step) for attempt, step in counts["resumes"]],
                trained_by=counts["trained_by"],
                step=counts["step"],
                superseded_rows=counts["superseded_rows"],
                updated_at=counts["updated_at"],
                pace=[(step, at) for step, at in counts["pace"]],
                tokens=counts["tokens"],
                cost_usd=counts["cost_usd"],
            )
            return Whole(metrics, counts["metric"], counts["spend"])
        except (KeyError, TypeError, ValueError):
            return None
