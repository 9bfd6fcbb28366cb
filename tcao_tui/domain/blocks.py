"""Summaries of a long column of numbers, so that a chart asks for extremes without reading every value.

Out of scope: which values belong to which chart column (`series`).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

BLOCK = 64
"""Values per summary: small enough for exact column edges, large enough that a million values are quick."""

type Floats = array[float] | memoryview[float]


class Blocks:
    """Minimum, maximum and number of not finite values of each full block of `BLOCK` values.

    Args:
        lows: Finite minimum per block, `inf` where nothing is finite.
        highs: Finite maximum per block, `-inf` where nothing is finite.
        lost: Number of NaN and infinities per block.
    """

    def __init__(self, lows: Floats | None = None, highs: Floats | None = None, lost: Floats | None = None) -> None:
        self.lows: Floats = array("d") if lows is None else lows
        self.highs: Floats = array("d") if highs is None else highs
        self.lost: Floats = array("d") if lost is None else lost
        self._any_lost = lost is not None and any(lost.tolist())

    def __len__(self) -> int:
        return len(self.lows)

    def cover(self, values: array[float]) -> None:
        """Summarise the full blocks of `values` that have no summary yet."""
        lows, highs, lost = self._arrays()
        for start in range(len(lows) * BLOCK, len(values) - BLOCK + 1, BLOCK):
            low, high, count = extremes(values[start : start + BLOCK].tolist())
            lows.append(low)
            highs.append(high)
            lost.append(count)
            self._any_lost = self._any_lost or count > 0

    def forget_from(self, index: int) -> None:
        """Drop the summaries of the block that holds value `index` and of all later ones."""
        for column in self._arrays():
            del column[index // BLOCK :]

    def fold(self, first: int, stop: int) -> tuple[float, float, int]:
        """Minimum, maximum and not finite count of the blocks from `first` up to but not including `stop`."""
        lost = int(sum(self.lost[first:stop].tolist())) if self._any_lost else 0
        return min(self.lows[first:stop].tolist()), max(self.highs[first:stop].tolist()), lost

    def _arrays(self) -> tuple[array[float], array[float], array[float]]:
        lows, highs, lost = self.lows, self.highs, self.lost
        if not (isinstance(lows, array) and isinstance(highs, array) and isinstance(lost, array)):
            raise TypeError("summaries over a read-only buffer do not grow")
        return lows, highs, lost


def extremes(chunk: Sequence[float]) -> tuple[float, float, int]:
    """Finite minimum and maximum of `chunk` (`inf`, `-inf` when there is none) and how many are not finite."""
    if not chunk:
        return math.inf, -math.inf, 0
    if math.isfinite(sum(chunk)):  # one addition in C per value, and wrong only towards the slow, exact branch
        return min(chunk), max(chunk), 0
    finite = [v for v in chunk if math.isfinite(v)]
    lost = len(chunk) - len(finite)
    return (min(finite), max(finite), lost) if finite else (math.inf, -math.inf, lost)
