"""The two parts a series is made of: a read-only one over buffers, and a growing one in memory.

Out of scope: keeping both in step order and unique (`series`), and where the buffers come from (`store.columns`).
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, overload

from tcao_tui.domain.blocks import BLOCK, Blocks, Floats, extremes

type Steps = array[int] | memoryview[int] | range


@dataclass(slots=True)
class Tally:
    """Extremes gathered over a stretch of values."""

    low: float = math.inf
    high: float = -math.inf
    last: float = math.nan
    lost: int = 0

    def add(self, low: float, high: float, lost: int) -> None:
        """Widen by the extremes of a further stretch."""
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        self.lost += lost


class Segment:
    """Steps with their values and block summaries; positions count from the segment's own start.

    Args:
        steps: Ascending and unique; a `range` where they are evenly spaced.
        values: One per step.
        blocks: Summaries of all full blocks of `values`; for a growing segment they are made when asked for.
    """

    def __init__(self, steps: Steps, values: Floats, blocks: Blocks) -> None:
        self.steps = steps
        self.values = values
        self.blocks = blocks

    def position(self, step: float) -> int:
        """Where `step` is or would be put."""
        return bisect_left(self.steps, step)

    def chunk(self, start: int, stop: int) -> list[float]:
        """Values from `start` up to but not including `stop`."""
        return cast("list[float]", self.values[start:stop].tolist())

    def fold(self, start: int, stop: int, into: Tally) -> None:
        """Add the values from `start` up to but not including `stop` to `into`."""
        if start >= stop:
            return
        if isinstance(self.values, array):
            self.blocks.cover(self.values)
        first_block, stop_block = -(-start // BLOCK), min(stop // BLOCK, len(self.blocks))
        if first_block < stop_block:
            into.add(*extremes(self.chunk(start, first_block * BLOCK)))
            into.add(*self.blocks.fold(first_block, stop_block))
            into.add(*extremes(self.chunk(stop_block * BLOCK, stop)))
        else:
            into.add(*extremes(self.chunk(start, stop)))
        last = self._last_finite(start, stop)
        into.last = into.last if last is None else last

    def _last_finite(self, start: int, stop: int) -> float | None:
        value = self.values[stop - 1]
        if math.isfinite(value):
            return value
        while stop > start:
            begin = max(start, stop - BLOCK)
            finite = [v for v in self.chunk(begin, stop) if math.isfinite(v)]
            if finite:
                return finite[-1]
            stop = begin
        return None


class Joined[T](Sequence[T]):
    """Two sequences read as one, without a copy."""

    def __init__(self, first: Sequence[T], second: Sequence[T]) -> None:
        self._first = first
        self._second = second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        cut = len(self._first)
        return self._first[place] if place < cut else self._second[place - cut]
