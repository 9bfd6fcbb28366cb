"""What a line of the cookbook's `metrics.jsonl` means, and what its rows add up to.

`RowFold` is the one meaning of the file: the live tail and the helper process that fills the column cache both
use it, on `Series` and on spilling columns. Reading the file is the business of `cookbook_tail`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

MOST_KEYS = 4_096
"""Metric keys followed; further ones are counted and left out, so that no file can fill the memory."""

_MOST_STEPS = 2**53
_BAD_LINES_KEPT = 20


class Column(Protocol):
    """The values of one key: `domain.series.Series`, or a column that a loader writes."""

    @property
    def last_step(self) -> int | None:
        """The greatest step, None when empty."""
        ...

    def __len__(self) -> int: ...

    def append(self, step: int, value: float) -> None:
        """Add or replace the value of `step`."""
        ...

    def drop_after(self, step: int) -> None:
        """Forget what lies past `step`."""
        ...


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The object that a line holds, with `NaN` and infinities; None when it is not a JSON object."""
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
    return record if isinstance(record, dict) else None


def numbers_of(record: Mapping[str, Any]) -> dict[str, float]:
    """The numeric values of a record; text, lists and nulls are no metrics."""
    values: dict[str, float] = {}
    for key, value in record.items():
        if isinstance(value, int | float):
            try:
                values[key] = float(value)
            except OverflowError:  # a whole number of more than 308 digits
                values[key] = math.inf if value > 0 else -math.inf
    return values


def step_of(values: Mapping[str, float]) -> int | None:
    """The step of a row: a whole number from 0; None for a row outside the step history."""
    step = values.get("step", math.nan)
    return int(step) if 0 <= step < _MOST_STEPS and step == int(step) else None


@dataclass(slots=True)
class Counts:
    """What a reader has come across, kept with a column cache.

    Attributes:
        lines: Complete lines read, the garbage included.
        rows: Rows with a step.
        summary_rows: Rows without one, which the cookbook's `log_summary` writes.
        superseded_rows: Rows of steps that a resumed run trained anew.
        bad_lines: Line numbers, from 1, of the first lines that are no JSON objects.
        bad_count: How many of those there are.
        left_out_keys: Values of keys past `MOST_KEYS`.
        last_step: Greatest step of the present lineage, -1 before the first row.
        tokens: Sum of `num_tokens`, of superseded rows too: they were trained.
        latest: Values of the newest rows without a step.
    """

    lines: int = 0
    rows: int = 0
    summary_rows: int = 0
    superseded_rows: int = 0
    bad_lines: list[int] = field(default_factory=list[int])
    bad_count: int = 0
    left_out_keys: int = 0
    last_step: int = -1
    tokens: float = 0.0
    latest: dict[str, float] = field(default_factory=dict[str, float])

    def add_bad_line(self, number: int) -> None:
        """Count a line that is no JSON object."""
        self.bad_count += 1
        if len(self.bad_lines) < _BAD_LINES_KEPT:
            self.bad_lines.append(number)

    def go_on(self, later: Counts) -> None:
        """Add what was come across in the lines that follow."""
        self.bad_lines += [self.lines + number for number in later.bad_lines]
        del self.bad_lines[_BAD_LINES_KEPT:]
        self.lines += later.lines
        self.rows += later.rows
        self.summary_rows += later.summary_rows
        self.superseded_rows += later.superseded_rows
        self.bad_count += later.bad_count
        self.left_out_keys += later.left_out_keys
        self.last_step = max(self.last_step, later.last_step)
        self.tokens += later.tokens
        self.latest.update(later.latest)

    def add_tokens(self, tokens: float) -> None:
        """Count trained tokens."""
        if math.isfinite(tokens):
            self.tokens += tokens


class RowFold[C: Column]:
    """Rows in, columns out.

    A row that goes back to an earlier step rewinds the run, as a resume does, if it repeats a key that is logged at
    most steps; then every value past its step is superseded. Late rows of other keys, such as those of evaluations
    that ran beside the training, are put in their place.

    Args:
        new_column: Makes the column of a key that was not seen before.
        columns: Columns so far, by key.
        counts: What was come across so far.
    """

    def __init__(
        self, new_column: Callable[[str], C], columns: dict[str, C] | None = None, counts: Counts | None = None
    ) -> None:
        self._new_column = new_column
        self.columns: dict[str, C] = columns if columns is not None else {}
        self.counts = counts or Counts()

    def add_line(self, line: bytes) -> None:
        """Fold one complete line."""
        self.counts.lines += 1
        if not line.strip():
            return
        record = parse_line(line)
        if record is None:
            self.counts.add_bad_line(self.counts.lines)
        else:
            self.add(numbers_of(record))

    def add(self, values: dict[str, float]) -> None:
        """Fold the numbers of one row."""
        step = step_of(values)
        if step is None:
            self.counts.summary_rows += 1
            self._remember({k: v for k, v in values.items() if k != "step"})
            return
        if step <= self.counts.last_step:
            self._go_back(step, values)
        self.counts.rows += 1
        self.counts.last_step = max(self.counts.last_step, step)
        self.counts.add_tokens(values.get("num_tokens", 0.0))
        for key, value in values.items():
            if key != "step" and (column := self.column(key)) is not None:
                column.append(step, value)

    def column(self, key: str) -> C | None:
        """The column of `key`, made when it is new; None when there are too many keys."""
        column = self.columns.get(key)
        if column is None:
            if len(self.columns) >= MOST_KEYS:
                self.counts.left_out_keys += 1
                return None
            column = self.columns[key] = self._new_column(key)
        return column

    def _remember(self, values: dict[str, float]) -> None:
        for key, value in values.items():
            if key in self.counts.latest or len(self.counts.latest) < MOST_KEYS:
                self.counts.latest[key] = value

    def _go_back(self, step: int, values: dict[str, float]) -> None:
        if not self._repeats(step, values):
            return
        before = {key: len(column) for key, column in self.columns.items()}
        for column in self.columns.values():
            if _reaches(column, step + 1):
                column.drop_after(step)
        lost = max(before[key] - len(column) for key, column in self.columns.items())
        replaced = any(_reaches(self.columns[key], step) for key in values if key in self.columns)
        self.counts.superseded_rows += lost + replaced
        self.counts.last_step = step

    def _repeats(self, step: int, values: dict[str, float]) -> bool:
        most = max((len(column) for column in self.columns.values()), default=0)
        known = (self.columns[key] for key in values if key in self.columns)
        return any(len(column) * 2 >= most and _reaches(column, step) for column in known)


def _reaches(column: Column, step: int) -> bool:
    last = column.last_step
    return last is not None and last >= step
