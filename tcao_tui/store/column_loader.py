"""The helper process that reads a long run whole and leaves its columns in the cache.

    python -m tcao_tui.store.column_loader cookbook METRICS_FILE CACHE_FOLDER
    python -m tcao_tui.store.column_loader store DATABASE RUN_ID CACHE_FOLDER

It says how far it is in lines of JSON on stdout, `{"done": 0.42}`, and ends with exit code 0 when the cache is written.
A process and not a thread, because parsing holds the interpreter lock and its memory should be given back.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import asdict
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tcao_tui.domain.series import Series
from tcao_tui.store.bulk_rows import add_lines
from tcao_tui.store.column_cache import file_fits, file_mark, open_columns
from tcao_tui.store.column_writer import prune, write_columns
from tcao_tui.store.cookbook_rows import Counts, RowFold
from tcao_tui.store.jsonl_tail import LineTail
from tcao_tui.store.spill import SpillColumn
from tcao_tui.store.sqlite_columns import RunColumns, StoreCounts
from tcao_tui.store.sqlite_sample import open_read_only, row_mark, run_number, store_fits

_SAY_EVERY_SECONDS = 0.1
_CHUNK_BYTES = 1 << 21


class Progress:
    """Says how far the work is, at most ten times a second."""

    def __init__(self) -> None:
        self._said_at = 0.0

    def say(self, done: float) -> None:
        """Report the share that is done, 0 to 1."""
        now = time.monotonic()
        if now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            sys.stdout.write(json.dumps({"done": round(done, 4)}) + "\n")
            sys.stdout.flush()


def load_cookbook(metrics: Path, folder: Path, scratch: Path, progress: Progress) -> None:
    """Read `metrics` up to its present end, on from where the cache of it stops, and write the cache."""

    def new_column(_key: str) -> SpillColumn:
        return SpillColumn(scratch / f"{len(fold.columns)}")

    fold = RowFold(new_column)
    tail = LineTail(metrics, _take_over(metrics, folder, fold))
    tail.look()
    stop = tail.size
    while tail.offset < stop and (lines := tail.read(_CHUNK_BYTES)):
        add_lines(fold, lines)
        progress.say(tail.offset / stop)
    if tail.was_rewritten():
        raise OSError("the file was rewritten while it was read")
    tail.close()
    write_columns(folder, fold.columns, mark=file_mark(metrics, tail.offset), counts=asdict(fold.counts))


def load_store(database: Path, run_id: str, folder: Path, scratch: Path, progress: Progress) -> None:
    """Read all metric rows of a run of our store, on from where the cache of it stops, and write the cache."""
    numbers = count()

    def new_column() -> SpillColumn:
        return SpillColumn(scratch / str(next(numbers)))

    with closing(open_read_only(database)) as connection:
        connection.execute("BEGIN")
        number = run_number(connection, run_id)
        columns, counts = dict[str, SpillColumn](), StoreCounts()
        cached = open_columns(folder)
        if cached is not None and store_fits(connection, number, cached):
            counts = StoreCounts(**cached.counts)
            for key, series in cached.series.items():
                columns[key] = new_column()
                _copy(series, columns[key])
        run = RunColumns(new_column, columns, counts)
        run.read(connection, number, progress.say)
        mark = row_mark(connection, number, counts.metric)
    write_columns(folder, columns, mark=mark, counts=asdict(counts))


def _take_over(metrics: Path, folder: Path, fold: RowFold[SpillColumn]) -> int:
    """Start from the columns that are cached already; returns the offset that they reach."""
    cached = open_columns(folder)
    if cached is None or not file_fits(metrics, cached.mark):
        return 0
    for key, series in cached.series.items():
        column = fold.column(key)
        if column is not None:
            _copy(series, column)
    fold.counts = Counts(**cached.counts)
    return int(cached.mark["offset"])


def _copy(series: Series, column: SpillColumn) -> None:
    steps = series.steps
    even = isinstance(steps, range)
    at = np.arange(steps.start, steps.stop, steps.step) if even else np.asarray(steps)
    column.extend(at, np.asarray(series.values))


def load(arguments: list[str]) -> None:
    """Load what `arguments`, as on the command line, name.

    Raises:
        OSError: The source cannot be read, was rewritten meanwhile, or the cache cannot be written.
        sqlite3.Error: The run store cannot be read.
    """
    kind, source, folder = arguments[0], arguments[1:-1], Path(arguments[-1])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(prefix="scratch-", dir=folder) as scratch:
        if kind == "cookbook":
            load_cookbook(Path(source[0]), folder, Path(scratch), Progress())
        else:
            load_store(Path(source[0]), source[1], folder, Path(scratch), Progress())
    prune(folder.parent, keep=folder)


def main(arguments: list[str]) -> int:
    """Run as a process of its own. Returns the exit code."""
    gc.disable()  # millions of short-lived dicts, none of them in a cycle
    os.nice(5)  # the console draws meanwhile
    try:
        load(arguments)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
