"""A series cut into dot columns, smoothed when wanted, and the value axis that holds several of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tcao_tui.domain.axes import Axis, nice_axis
from tcao_tui.domain.series import Extremes, Series


@dataclass(frozen=True, slots=True)
class CurveCut:
    """A curve in dot columns; `smooth` is its smoothed line when one is wanted."""

    columns: list[Extremes | None]
    smooth: list[float | None] | None

    def place(self, x: int, axis: Axis) -> float:
        """Height at dot column `x` or just left of it, from 0 (also when there is nothing to stand on) to 1."""
        for near in range(x, max(x - 3, -1), -1):
            column = self.columns[near]
            value = self.smooth[near] if self.smooth else column.last if column else None
            if value is not None and math.isfinite(value):
                return axis.place(value) or 0.0
        return 0.0

    @property
    def end(self) -> int | None:
        """The last dot column with a finite value."""
        finite = (x for x, c in reversed(list(enumerate(self.columns))) if c is not None and math.isfinite(c.low))
        return next(finite, None)


def cut_series(series: Series, smoothing: float, first: float, last: float, count: int) -> CurveCut:
    """Cut a series into columns.

    Args:
        series: What to cut.
        smoothing: Weight of the past in an exponential average; 0 for none.
        first: Step at the left edge.
        last: Step at the right edge.
        count: Dot columns.
    """
    columns = series.columns(first, last, count)
    return CurveCut(columns, _smoothed(columns, smoothing) if smoothing else None)


def value_axis(cuts: Sequence[CurveCut], plot_height: int, log: bool) -> Axis | None:
    """An axis that holds every finite value; None when there is none."""
    finite = [c for cut in cuts for c in cut.columns if c is not None and math.isfinite(c.low)]
    if log:
        finite = [c for c in finite if c.high > 0]
    if not finite:
        return None
    low = min((c.low for c in finite if not log or c.low > 0), default=min(c.high for c in finite))
    high = max(c.high for c in finite)
    if not log and 0 < low < 0.35 * high:
        low = 0.0
    return nice_axis(low, high, max(1, min(5, plot_height // 2)), log=log)


def _smoothed(columns: Sequence[Extremes | None], weight: float) -> list[float | None]:
    """Exponential average over columns, a column of n values ageing the past n times, without start-up bias."""
    total, norm, out = 0.0, 0.0, list[float | None]()
    for column in columns:
        if column is not None and math.isfinite(column.low):
            keep = weight**column.count
            total = total * keep + (column.low + column.high) / 2 * (1 - keep)
            norm = norm * keep + (1 - keep)
        out.append(total / norm if norm and column is not None else None)
    return out
