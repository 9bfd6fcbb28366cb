"""Levels and spreads that a few wild values cannot move; of finite values."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from statistics import median

_SIGMA_PER_MAD = 1.4826
_MEDIAN_ERROR = 1.2533
"""Standard error of a median over that of a mean, of normal values."""


def spread(values: Collection[float]) -> float:
    """Standard deviation of normal values with the same median absolute deviation."""
    middle = median(values)
    return _SIGMA_PER_MAD * median(abs(value - middle) for value in values)


@dataclass(frozen=True, slots=True)
class Fall:
    """How much lower later values lie than earlier ones.

    Attributes:
        size: Difference of the medians; below zero for a rise.
        error: Its standard error.
        start: Median of the earlier values.
        end: Median of the later ones.
    """

    size: float
    error: float
    start: float
    end: float


def fall(before: Collection[float], after: Collection[float]) -> Fall:
    """The fall from one stretch of values to a later one; neither may be empty."""
    start, end = median(before), median(after)
    error = _MEDIAN_ERROR * math.hypot(
        spread(before) / math.sqrt(len(before)),
        spread(after) / math.sqrt(len(after)),
    )
    return Fall(start - end, error, start, end)
