"""Distribution of a count per row over any number of rows, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from tcao_tui.domain.data_profile import Spread

BINS = 16
"""Bars of a small histogram."""

_EXACT_BELOW = 1_000


class SpreadCounter:
    """Percentiles to three significant digits; maximum and total are exact."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._max = 0
        self._total = 0

    def add(self, values: Iterable[int]) -> None:
        """Take in counts, none of them negative."""
        for value, count in Counter(values).items():
            self._total += value * count
            self._max = max(self._max, value)
            self._counts[value if value < _EXACT_BELOW else _rounded(value)] += count

    def spread(self, scale: float = 1.0) -> Spread | None:
        """The distribution, its total multiplied by `scale`; None when nothing was taken in."""
        if not self._counts:
            return None
        ordered = sorted(self._counts.items())
        return Spread(
            p50=_percentile(ordered, 0.50),
            p95=_percentile(ordered, 0.95),
            max=self._max,
            total=round(self._total * scale),
            bins=_bins(ordered, self._max),
        )


def _rounded(value: int) -> int:
    unit = 10 ** (len(str(value)) - 3)
    return value // unit * unit


def _percentile(ordered: list[tuple[int, int]], share: float) -> int:
    """Smallest value that at least `share` of all values do not exceed (nearest rank)."""
    wanted = math.ceil(share * sum(count for _, count in ordered))
    seen = 0
    for value, count in ordered:
        seen += count
        if seen >= wanted:
            return value
    return ordered[-1][0]


def _bins(ordered: list[tuple[int, int]], largest: int) -> tuple[int, ...]:
    """Rows in `BINS` bins of equal width from 0 to the largest value."""
    bins = [0] * BINS
    for value, count in ordered:
        bins[min(BINS - 1, value * BINS // (largest + 1))] += count
    return tuple(bins)
