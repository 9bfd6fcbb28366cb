"""Axes that rarely move: ranges rounded to nice numbers, so that a live chart repaints its labels seldom."""

from __future__ import annotations

import math
from dataclasses import dataclass

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_LARGEST, _LEAST, _LEAST_SHARE = 1e300, 1e-290, 1e-12
"""What lies beyond is shown at the edge, and what differs by less is one value: floats could not hold the ticks."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A range with its ticks, in data units; on a log axis all of them are powers of ten's exponents."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float | None:
        """Position of `value` from 0 (low and below) to 1 (high and above); None when a log axis cannot show it."""
        if self.log:
            if value <= 0:
                return None
            value = math.log10(value)
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def label(self, tick: float) -> str:
        """The tick as text."""
        return f"{10.0**tick:.2g}" if self.log else format_number(tick)


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that cuts `span` into at most `count` parts."""
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in _NICE if m * power >= raw * (1 - 1e-9))


def nice_axis(low: float, high: float, count: int, *, log: bool = False) -> Axis:
    """An axis that holds `low` to `high` with about `count` ticks on round numbers.

    Args:
        low: Least value shown; on a log axis it must be positive.
        high: Greatest value shown.
        count: Wanted number of intervals, at least 1.
        log: Whether positions are logarithmic.
    """
    if log:
        low, high = math.log10(low), math.log10(high)
    low, high = (min(max(end, -_LARGEST), _LARGEST) for end in (low, high))
    if not high - low > max(_LEAST, _LEAST_SHARE * max(abs(low), abs(high))):
        pad = abs(low) * 0.1 or 0.5
        low, high = low - pad, high + pad
    step = nice_step(high - low, count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(i * step for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, log)


def format_number(value: float) -> str:
    """At most seven characters that keep three significant digits: 0.123, 12.3k, 1.5M, 2e-05."""
    size = abs(value)
    if not math.isfinite(value):
        return str(value)
    if size < 1e-12:
        return "0"
    if size < 1e-3:
        return f"{value:.2g}"
    for limit, divisor, suffix in ((1e4, 1.0, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "G")):
        if size < limit:
            return _trim(value / divisor) + suffix
    return f"{value:.2g}"


def _trim(value: float) -> str:
    if abs(value) < 1:
        return f"{value:.3g}"
    text = f"{value:.{max(4 - len(str(int(abs(value)))), 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
