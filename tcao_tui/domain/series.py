"""One metric over steps: an append-only pair of arrays that answers "what does a chart of N columns show?".

Steps ascend and are unique: a step that comes again replaces its value, a late one is put in its place.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Extremes:
    """What one chart column shows: the finite minimum, maximum and last value, and how many values were not finite."""

    low: float
    high: float
    last: float
    count: int
    not_finite: int = 0


class Series:
    """Values of one metric key by step."""

    def __init__(self) -> None:
        self.steps: array[int] = array("q")
        self.values: array[float] = array("d")

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def last(self) -> float | None:
        """The value of the greatest step, or None when empty."""
        return self.values[-1] if self.values else None

    def append(self, step: int, value: float) -> None:
        """Add the value of `step`, replacing the one it has."""
        if not self.steps or step > self.steps[-1]:
            self.steps.append(step)
            self.values.append(value)
            return
        index = bisect_left(self.steps, step)
        if self.steps[index] == step:
            self.values[index] = value
        else:
            self.steps.insert(index, step)
            self.values.insert(index, value)

    def drop_after(self, step: int) -> None:
        """Forget what lies past `step`, because a later attempt trains it anew."""
        index = bisect_right(self.steps, step)
        del self.steps[index:]
        del self.values[index:]

    def value_at(self, step: int) -> float | None:
        """The value of exactly `step`, or None."""
        index = bisect_left(self.steps, step)
        return self.values[index] if index < len(self.steps) and self.steps[index] == step else None

    def columns(self, first_step: float, last_step: float, count: int) -> list[Extremes | None]:
        """Cut the steps from `first_step` to `last_step` into `count` equal columns, keeping every spike.

        Returns:
            One entry per column; None where the column holds no step.
        """
        width = max(last_step - first_step, 1e-9) / count
        edges = [bisect_left(self.steps, first_step + width * i) for i in range(count)]
        edges.append(bisect_right(self.steps, last_step))
        return [self._extremes(a, b) for a, b in pairwise(edges)]

    def _extremes(self, start: int, stop: int) -> Extremes | None:
        if start >= stop:
            return None
        chunk = self.values[start:stop]
        finite = [v for v in chunk if math.isfinite(v)]
        lost = len(chunk) - len(finite)
        if not finite:
            return Extremes(math.nan, math.nan, math.nan, len(chunk), lost)
        return Extremes(min(finite), max(finite), finite[-1], len(chunk), lost)
