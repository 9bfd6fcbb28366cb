"""Exponential moving average of a series as a chart of N columns needs it: TensorBoard's, with its bias removed.

A value older than the average's memory weighs less than a billionth, so only that much is read before each column.
"""

from __future__ import annotations

import math

from tcao_tui.domain.blocks import BLOCK
from tcao_tui.domain.series import Extremes, Series

_FORGOTTEN = 1e-9
_GREATEST_WEIGHT = 0.9999


class _Average:
    """A debiased exponential average that takes values in chunks; what is not finite does not move it."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._kernel = [(1 - weight) * weight**i for i in range(BLOCK - 1, -1, -1)]
        self._sum = 0.0
        self._seen = 0

    def restart(self) -> None:
        self._sum, self._seen = 0.0, 0

    def add(self, chunk: list[float]) -> None:
        finite = chunk if math.isfinite(sum(chunk)) else [v for v in chunk if math.isfinite(v)]
        if finite:
            self._sum = self._sum * self._weight ** len(finite) + math.sumprod(self._kernel[-len(finite) :], finite)
            self._seen += len(finite)

    @property
    def value(self) -> float | None:
        return self._sum / (1 - self._weight**self._seen) if self._seen else None


class Smoother:
    """Smoothed columns of one series, kept so that a chart that did not move computes only what changed.

    Args:
        series: The metric; it may grow between calls.
    """

    def __init__(self, series: Series) -> None:
        self._series = series
        self._asked: tuple[float, float, int, float] | None = None
        self._columns: list[Extremes | None] = []
        self._result: list[float | None] = []

    def columns(self, first_step: float, last_step: float, count: int, weight: float) -> list[float | None]:
        """The average at the last step of each column, for the same columns as `Series.columns`.

        Args:
            first_step: Left edge of the window.
            last_step: Right edge of the window.
            count: Number of columns.
            weight: Share of the past, 0 (no smoothing) to just below 1.

        Returns:
            One entry per column; None where the column holds no finite value.
        """
        asked = (first_step, last_step, count, min(max(weight, 0.0), _GREATEST_WEIGHT))
        columns = self._series.columns(first_step, last_step, count)
        known = 0
        if asked == self._asked:  # the series hands out the very same object for a column that did not change
            known = next((i for i, c in enumerate(columns) if c is not self._columns[i]), count)
        edges = self._series.edges(first_step, last_step, count)
        self._result = [*self._result[:known], *_averages(self._series, columns, edges, known, asked[3])]
        self._asked, self._columns = asked, columns
        return list(self._result)


def _averages(
    series: Series, columns: list[Extremes | None], edges: list[int], first: int, weight: float
) -> list[float | None]:
    memory = BLOCK if weight == 0 else max(BLOCK, math.ceil(math.log(_FORGOTTEN) / math.log(weight)))
    if any(c and c.not_finite for c in columns):
        memory = len(series)  # memory counts finite values, so a series with gaps is read from its start
    average, position, result = _Average(weight), -1, list[float | None]()
    for column, stop in zip(columns[first:], edges[first + 1 :], strict=True):
        if column is None or column.not_finite == column.count:
            result.append(None)
            continue
        if position < 0 or stop - memory > position:
            average.restart()
            position = max(0, stop - memory)
        for begin in range(position, stop, BLOCK):
            average.add(series.chunk(begin, min(begin + BLOCK, stop)))
        position = stop
        result.append(average.value)
    return result
