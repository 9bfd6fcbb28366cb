"""Reads a whole `metrics.jsonl` of the cookbook into a column cache; only the loader process uses it.

The second half of a very long file is read by a second process at the same time. Its columns are joined to those of
the first when every key simply goes on; otherwise that half is read again in order, because a rewind in it concerns
what came before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from pathlib import Path

import numpy as np

from tcao_tui.domain.series import Series
from tcao_tui.store.bulk_rows import add_lines
from tcao_tui.store.column_cache import CachedColumns, file_fits, file_mark, open_columns
from tcao_tui.store.column_writer import write_columns
from tcao_tui.store.cookbook_rows import MOST_KEYS, Counts, RowFold
from tcao_tui.store.jsonl_tail import LineTail
from tcao_tui.store.spill import SpillColumn

SHARED_BYTES = 64 << 20
"""From here on, the work is shared by two processes where there are two processors."""

_CHUNK_BYTES = 1 << 21


def load_cookbook(
    metrics: Path,
    folder: Path,
    scratch: Path,
    say: Callable[[float], None],
    *,
    shared_bytes: int = SHARED_BYTES,
) -> None:
    """Read `metrics` up to its present end, on from where the cache of it stops, and write the cache.

    Raises:
        OSError: The file cannot be read, was rewritten meanwhile, or the cache cannot be written.
    """
    fold = _new_fold(scratch)
    tail = LineTail(metrics, _take_over(metrics, folder, fold))
    tail.look()
    start, stop = tail.offset, tail.size
    middle = _line_start(metrics, (start + stop) // 2) if stop - start >= shared_bytes else 0
    if middle and (os.cpu_count() or 1) > 1:
        with _reading_half(metrics, middle, stop, scratch / "half") as helper:
            _read(tail, middle, fold, say)
            helper.wait()
        half = open_columns(scratch / "half")
        if half is not None and not _changed(tail) and join(fold, half):
            tail.close()
            tail = LineTail(metrics, int(half.mark["stop"]))
            tail.look()
    _read(tail, stop, fold, say)
    rewritten = _changed(tail)
    tail.close()
    if rewritten:
        raise OSError("the file was rewritten while it was read")
    write_columns(folder, fold.columns, mark=file_mark(metrics, tail.offset), counts=asdict(fold.counts))


def load_half(metrics: Path, start: int, stop: int, folder: Path, scratch: Path) -> None:
    """Read the lines from byte `start` on, up to byte `stop`, into a cache of their own."""
    fold, tail = _new_fold(scratch), LineTail(metrics, start)
    tail.look()
    simple = _read(tail, stop, fold, lambda _: None)
    tail.close()
    write_columns(folder, fold.columns, mark={"stop": tail.offset, "simple": simple}, counts=asdict(fold.counts))


def copy_series(series: Series, column: SpillColumn) -> None:
    """Append a mapped series to a column."""
    steps = series.steps
    even = isinstance(steps, range)
    at = np.arange(steps.start, steps.stop, steps.step) if even else np.asarray(steps)
    column.extend(at, np.asarray(series.values))


def _new_fold(scratch: Path) -> RowFold[SpillColumn]:
    numbers = count()
    return RowFold(lambda _key: SpillColumn(scratch / str(next(numbers))))


def _read(tail: LineTail, stop: int, fold: RowFold[SpillColumn], say: Callable[[float], None]) -> bool:
    """Fold the lines up to `stop`; returns whether every key simply went on."""
    simple = True
    while tail.offset < stop and (lines := tail.read(min(_CHUNK_BYTES, stop - tail.offset))):
        simple = add_lines(fold, lines) and simple
        say(tail.offset / stop)
    return simple


def _changed(tail: LineTail) -> bool:
    tail.look()
    return tail.was_rewritten()


def _take_over(metrics: Path, folder: Path, fold: RowFold[SpillColumn]) -> int:
    """Start from the columns that are cached already; returns the offset that they reach."""
    cached = open_columns(folder)
    if cached is None or not file_fits(metrics, cached.mark):
        return 0
    for key, series in cached.series.items():
        column = fold.column(key)
        if column is not None:
            copy_series(series, column)
    fold.counts = Counts(**cached.counts)
    return int(cached.mark["offset"])


def _line_start(metrics: Path, offset: int) -> int:
    """Where the next line after `offset` starts; 0 when none is near."""
    with metrics.open("rb", buffering=0) as file:
        file.seek(offset)
        newline = file.read(_CHUNK_BYTES).find(b"\n")
    return offset + newline + 1 if newline >= 0 else 0


def _reading_half(metrics: Path, start: int, stop: int, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir()
    command = [sys.executable, "-m", "tcao_tui.store.column_loader", "half", str(metrics), str(start), str(stop)]
    return subprocess.Popen([*command, str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def join(fold: RowFold[SpillColumn], half: CachedColumns) -> bool:
    """Append the second half to the first; returns False, changing nothing, when they do not simply go on."""
    if not half.mark["simple"] or len(fold.columns.keys() | half.series.keys()) > MOST_KEYS:
        return False
    for key, series in half.series.items():
        last = fold.columns[key].last_step if key in fold.columns else None
        if last is not None and len(series) and last >= series.steps[0]:
            return False
    for key, series in half.series.items():
        column = fold.column(key)
        if column is not None:
            copy_series(series, column)
    fold.counts.go_on(Counts(**half.counts))
    return True
