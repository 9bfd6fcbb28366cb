"""One metric over steps: it answers "what does a chart of N columns show?" at any length, keeping every spike.

Steps ascend and are unique: a step that comes again replaces its value, a late one is put in its place.
A series may start on read-only buffers, such as a mapped column cache; what is appended goes to memory.
One thread may append while another draws.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

from tcao_tui.domain.blocks import Blocks, Floats
from tcao_tui.domain.segments import Joined, Segment, Steps, Tally


@dataclass(frozen=True, slots=True)
class Extremes:
    """What one chart column shows: the finite minimum, maximum and last value, and how many values were not finite."""

    low: float
    high: float
    last: float
    count: int
    not_finite: int = 0


@dataclass(slots=True)
class _Drawn:
    """The columns last asked for, so that a chart that did not move reads only what changed."""

    window: tuple[float, float, int]
    edges: list[int]
    columns: list[Extremes | None]


class Series:
    """Values of one metric key by step."""

    def __init__(self) -> None:
        self._base: Segment | None = None
        self._steps: array[int] = array("q")
        self._values: array[float] = array("d")
        self._tail = Segment(self._steps, self._values, Blocks())
        self._drawn: _Drawn | None = None
        self._changed_from = 0
        self._lock = Lock()

    @classmethod
    def over(cls, steps: Steps, values: Floats, blocks: Blocks) -> Series:
        """A series that starts on read-only buffers and copies none of them.

        Args:
            steps: Ascending and unique, 64-bit; a `range` where evenly spaced.
            values: 64-bit floats, one per step.
            blocks: Summaries of all full blocks of `values`.
        """
        series = cls()
        if len(steps):
            series._base = Segment(steps, values, blocks)
        return series

    @property
    def steps(self) -> Sequence[int]:
        """All steps, ascending; read only."""
        if self._base is None:
            return self._steps
        return Joined(self._base.steps, self._steps) if self._steps else self._base.steps

    @property
    def values(self) -> Sequence[float]:
        """One value per step; read only."""
        if self._base is None:
            return self._values
        return Joined(self._base.values, self._values) if self._values else self._base.values

    def __len__(self) -> int:
        return self._cut + len(self._steps)

    @property
    def last_step(self) -> int | None:
        """The greatest step, or None when empty."""
        if self._steps:
            return self._steps[-1]
        return None if self._base is None else self._base.steps[-1]

    @property
    def last(self) -> float | None:
        """The value of the greatest step, or None when empty."""
        if self._values:
            return self._values[-1]
        return None if self._base is None else self._base.values[-1]

    def append(self, step: int, value: float) -> None:
        """Add the value of `step`, replacing the one it has."""
        with self._lock:
            self._put(step, value)

    def drop_after(self, step: int) -> None:
        """Forget what lies past `step`, because a later attempt trains it anew."""
        with self._lock:
            if self._base is not None and step < self._base.steps[-1]:
                self._thaw()
            index = bisect_right(self._steps, step)
            self._forget_from(index)
            del self._steps[index:]
            del self._values[index:]

    def value_at(self, step: int) -> float | None:
        """The value of exactly `step`, or None."""
        for segment in (self._tail, self._base):
            if segment is not None:
                index = segment.position(step)
                if index < len(segment.values) and segment.steps[index] == step:
                    return segment.values[index]
        return None

    def columns(self, first_step: float, last_step: float, count: int) -> list[Extremes | None]:
        """Cut the steps from `first_step` to `last_step` into `count` equal columns, keeping every spike.

        Returns:
            One entry per column; None where the column holds no step.
        """
        with self._lock:
            window = (first_step, last_step, count)
            edges = self._edges(*window)
            old = self._drawn if self._drawn is not None and self._drawn.window == window else None
            columns: list[Extremes | None] = []
            for i, (start, stop) in enumerate(pairwise(edges)):
                if old and stop <= self._changed_from and (old.edges[i], old.edges[i + 1]) == (start, stop):
                    columns.append(old.columns[i])
                else:
                    columns.append(self._extremes(start, stop))
            self._drawn, self._changed_from = _Drawn(window, edges, columns), len(self)
            return list(columns)

    def edges(self, first_step: float, last_step: float, count: int) -> list[int]:
        """Positions that cut the window into `count` columns: column i holds positions `edges[i]` to `edges[i + 1]`."""
        with self._lock:
            return self._edges(first_step, last_step, count)

    def chunk(self, start: int, stop: int) -> list[float]:
        """Values at the positions from `start` up to but not including `stop`."""
        cut, values = self._cut, list[float]()
        if self._base is not None and start < cut:
            values = self._base.chunk(start, min(stop, cut))
        return values + self._tail.chunk(max(start - cut, 0), max(stop - cut, 0)) if stop > cut else values

    @property
    def _cut(self) -> int:
        return 0 if self._base is None else len(self._base.values)

    def _put(self, step: int, value: float) -> None:
        last = self.last_step
        if last is None or step > last:
            self._values.append(value)
            self._steps.append(step)
            return
        if self._base is not None and step <= self._base.steps[-1]:
            self._thaw()
        index = self._tail.position(step)
        self._forget_from(index)
        if self._steps[index] == step:
            self._values[index] = value
        else:
            self._steps.insert(index, step)
            self._values.insert(index, value)

    def _thaw(self) -> None:
        """Copy the read-only part into memory, because it has to change after all."""
        if self._base is not None:
            self._steps[0:0] = array("q", self._base.steps)
            self._values[0:0] = array("d", self._base.values.tobytes())
            self._base = None
            self._forget_from(0)

    def _forget_from(self, index: int) -> None:
        self._tail.blocks.forget_from(index)
        self._changed_from = min(self._changed_from, self._cut + index)

    def _edges(self, first_step: float, last_step: float, count: int) -> list[int]:
        width = max(last_step - first_step, 1e-9) / count
        edges = [self._position(first_step + width * i) for i in range(count)]
        edges.append(self._position(math.floor(last_step) + 1))
        return edges

    def _position(self, step: float) -> int:
        base = self._base
        if base is not None and step <= base.steps[-1]:
            return base.position(step)
        return self._cut + self._tail.position(step)

    def _extremes(self, start: int, stop: int) -> Extremes | None:
        if start >= stop:
            return None
        cut, tally = self._cut, Tally()
        if self._base is not None:
            self._base.fold(start, min(stop, cut), tally)
        self._tail.fold(max(start - cut, 0), stop - cut, tally)
        if tally.lost == stop - start:
            return Extremes(math.nan, math.nan, math.nan, stop - start, tally.lost)
        return Extremes(tally.low, tally.high, tally.last, stop - start, tally.lost)
