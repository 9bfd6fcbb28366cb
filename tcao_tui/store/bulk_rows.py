"""Reads `metrics.jsonl` many rows at a time into spilling columns; the same meaning as `RowFold`, row by row.

Only the column loader uses it: it needs numpy, which no console process loads.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from tcao_tui.store.cookbook_rows import RowFold, numbers_of, parse_line
from tcao_tui.store.spill import Ints, Reals, SpillColumn

type Table = dict[str, tuple[Ints, Reals]]


@dataclass(slots=True)
class _Layout:
    """Rows that have the same keys in the same order: their numbers row after row, and their places in the chunk."""

    keys: tuple[str, ...]
    numbers: array[float] = field(default_factory=lambda: array("d"))
    places: list[int] = field(default_factory=list[int])

    def matrix(self) -> Reals:
        return np.frombuffer(self.numbers, dtype=np.float64).reshape(len(self.places), len(self.keys))


def add_lines(fold: RowFold[SpillColumn], chunk: bytes) -> bool:
    """Fold a chunk of complete lines; what does not fit the quick way goes row by row.

    Returns:
        Whether the quick way could be taken: every row has a step, and every key simply goes on.
    """
    lines = chunk.split(b"\n")
    lines.pop()
    layouts = _layouts(fold, lines)
    fold.counts.lines += len(lines)
    stepped = [layout for layout in layouts if layout.keys and "step" in layout.keys]
    table = _table(stepped) if len(stepped) == len(layouts) else None
    if table is None or not extends(fold.columns, table):
        _add_row_by_row(fold, layouts)
        return False
    for key, (steps, values) in table.items():
        column = fold.column(key)
        if column is None:
            fold.counts.left_out_keys += len(steps) - 1
            continue
        column.extend(steps, values)
    for layout in stepped:
        matrix = layout.matrix()
        fold.counts.rows += len(matrix)
        fold.counts.last_step = max(fold.counts.last_step, int(matrix[:, layout.keys.index("step")].max()))
        if "num_tokens" in layout.keys:
            tokens = matrix[:, layout.keys.index("num_tokens")]
            fold.counts.add_tokens(float(tokens[np.isfinite(tokens)].sum()))
    return True


def _layouts(fold: RowFold[SpillColumn], lines: list[bytes]) -> list[_Layout]:
    found: dict[tuple[str, ...], _Layout] = {}
    loads, layout = orjson.loads, _Layout(())
    present: list[str] | None = None
    for place, line in enumerate(lines):
        try:
            record: Any = loads(line)
            keys = list(record)
            values = record.values()
        except (ValueError, TypeError, AttributeError):
            record = parse_line(line)
            if record is None:
                if line.strip():
                    fold.counts.add_bad_line(fold.counts.lines + place + 1)
                continue
            record = numbers_of(record)
            keys, values = list(record), record.values()
        if keys != present:
            present = keys
            layout = found.setdefault(tuple(keys), _Layout(tuple(keys)))
        filled = len(layout.numbers)
        try:
            layout.numbers.extend(values)
        except (TypeError, OverflowError):
            del layout.numbers[filled:]
            record = numbers_of(record)
            present = list(record)
            layout = found.setdefault(tuple(present), _Layout(tuple(present)))
            layout.numbers.extend(record.values())
        layout.places.append(place)
    return [layout for layout in found.values() if layout.places]


def _table(layouts: list[_Layout]) -> Table | None:
    """Steps and values of each key in the order of the lines, or None where a step is no step."""
    parts: dict[str, list[tuple[Ints, Reals, list[int]]]] = {}
    for layout in layouts:
        matrix = layout.matrix()
        column = matrix[:, layout.keys.index("step")]
        if not bool(np.all((column >= 0) & (column < 2**53) & (column == np.floor(column)))):
            return None
        steps = column.astype(np.int64)
        for i, key in enumerate(layout.keys):
            if key != "step":
                parts.setdefault(key, []).append((steps, matrix[:, i], layout.places))
    return {key: _in_line_order(found) for key, found in parts.items()}


def _in_line_order(found: list[tuple[Ints, Reals, list[int]]]) -> tuple[Ints, Reals]:
    if len(found) == 1:
        return found[0][0], found[0][1]
    order = np.argsort(np.concatenate([np.asarray(places) for _, _, places in found]))
    return np.concatenate([s for s, _, _ in found])[order], np.concatenate([v for _, v, _ in found])[order]


def extends(columns: dict[str, SpillColumn], table: Table) -> bool:
    """Whether each key only goes on: then no row can rewind, replace or come late."""
    checked: dict[int, bool] = {}
    for key, (steps, _) in table.items():
        if id(steps) not in checked:
            checked[id(steps)] = bool(np.all(steps[1:] > steps[:-1]))
        column = columns.get(key)
        last = column.last_step if column is not None else None
        if not checked[id(steps)] or (last is not None and last >= steps[0]):
            return False
    return True


def _add_row_by_row(fold: RowFold[SpillColumn], layouts: list[_Layout]) -> None:
    rows: list[tuple[int, tuple[str, ...], list[float]]] = []
    for layout in layouts:
        rows += zip(layout.places, [layout.keys] * len(layout.places), layout.matrix().tolist(), strict=True)
    rows.sort(key=lambda row: row[0])
    for _, keys, values in rows:
        fold.add(dict(zip(keys, values, strict=True)))
