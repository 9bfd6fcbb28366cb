"""The helper process that reads a long run whole and leaves its columns in the cache.

    python -m tcao_tui.store.column_loader cookbook METRICS_FILE CACHE_FOLDER
    python -m tcao_tui.store.column_loader half METRICS_FILE FIRST_BYTE LAST_BYTE FOLDER
    python -m tcao_tui.store.column_loader store DATABASE RUN_ID CACHE_FOLDER

It says how far it is in lines of JSON on stdout, `{"done": 0.42}`, and ends with exit code 0 when the cache is written.
A process and not a thread, because parsing holds the interpreter lock and its memory should be given back.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from tcao_tui.store.column_cache import open_columns
from tcao_tui.store.column_writer import prune, write_columns
from tcao_tui.store.cookbook_columns import copy_series, load_cookbook, load_half
from tcao_tui.store.spill import SpillColumn
from tcao_tui.store.sqlite_columns import RunColumns, StoreCounts
from tcao_tui.store.sqlite_sample import open_read_only, row_mark, run_number, store_fits

_SAY_EVERY_SECONDS = 0.1
_STALE_SECONDS = 3_600.0


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


def load_store(database: Path, run_id: str, folder: Path, scratch: Path, say: Callable[[float], None]) -> None:
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
                copy_series(series, columns[key])
        run = RunColumns(new_column, columns, counts)
        run.read(connection, number, say)
        mark = row_mark(connection, number, counts.metric)
    write_columns(folder, columns, mark=mark, counts=asdict(counts))


def load(arguments: list[str]) -> None:
    """Load what `arguments`, as on the command line, name.

    Raises:
        OSError: The source cannot be read, was rewritten meanwhile, or the cache cannot be written.
        sqlite3.Error: The run store cannot be read.
    """
    kind, source, folder = arguments[0], arguments[1:-1], Path(arguments[-1])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for stale in folder.glob("scratch-*"):  # of helpers that were killed
        if time.time() - stale.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(stale, ignore_errors=True)
    with TemporaryDirectory(prefix="scratch-", dir=folder) as name:
        scratch = Path(name)
        if kind == "half":
            load_half(Path(source[0]), int(source[1]), int(source[2]), folder, scratch)
            return
        if kind == "cookbook":
            load_cookbook(Path(source[0]), folder, scratch, Progress().say)
        else:
            load_store(Path(source[0]), source[1], folder, scratch, Progress().say)
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
