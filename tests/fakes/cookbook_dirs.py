"""Cookbook run directories for tests, a plain reader of them, and a loader that needs no process."""

from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path
from typing import Any

from tcao_tui.domain.series import Series
from tcao_tui.store.column_loader import load
from tcao_tui.store.cookbook_metrics import MetricsFile
from tcao_tui.store.loader_process import LoaderState


class LoaderHere:
    """Does the loader's work when it is first polled, in this process."""

    done = 0.5

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments

    def poll(self) -> LoaderState:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                load(self.arguments)
        except OSError:
            return LoaderState.FAILED
        return LoaderState.DONE

    def close(self) -> None:
        pass


class LoaderNever(LoaderHere):
    """A helper that is still at work."""

    def poll(self) -> LoaderState:
        return LoaderState.RUNNING


class LoaderFails(LoaderHere):
    """A helper that could not write its cache."""

    def poll(self) -> LoaderState:
        return LoaderState.FAILED


def metrics_file(directory: Path, *, loader: Any = LoaderHere, here: int = 1 << 30) -> MetricsFile:
    return MetricsFile(directory / "metrics.jsonl", directory / "cache", read_here_bytes=here, start_loader=loader)


def write_rows(directory: Path, rows: list[dict[str, Any]], *, mode: str = "a") -> None:
    with (directory / "metrics.jsonl").open(mode) as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def until_caught_up(metrics: MetricsFile, polls: int = 200) -> MetricsFile:
    for _ in range(polls):
        metrics.poll()
        if metrics.caught_up:
            return metrics
    raise AssertionError("the reader never caught up")


def content(columns: dict[str, Series]) -> dict[str, list[tuple[int, str]]]:
    return {k: [(s, repr(v)) for s, v in zip(c.steps, c.values, strict=True)] for k, c in columns.items() if len(c)}


def plain_content(text: bytes) -> dict[str, list[tuple[int, str]]]:
    """What a reader shows that holds the whole file in dicts: the meaning of the format, written again and plainly."""
    table: dict[str, dict[int, float]] = {}
    last = -1
    for line in text.split(b"\n")[:-1]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, dict):
            continue
        row = {k: float(v) for k, v in row.items() if isinstance(v, int | float)}
        step = row.pop("step", math.nan)
        if not (step >= 0 and math.isfinite(step) and step == int(step)):
            continue
        step = int(step)
        most = max((len(c) for c in table.values()), default=0)
        repeated = [k for k in row if k in table and len(table[k]) * 2 >= most and max(table[k], default=-1) >= step]
        if step <= last and repeated:
            table = {k: {s: v for s, v in c.items() if s <= step} for k, c in table.items()}
            last = step
        last = max(last, step)
        for key, value in row.items():
            table.setdefault(key, {})[step] = value
    return {k: [(s, repr(c[s])) for s in sorted(c)] for k, c in table.items() if c}
