"""Numbers in words, the same on every front end: durations, counts, sizes, money. What is unknown is said, never 0."""

from __future__ import annotations

import math
import re

UNKNOWN = "-"

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(\d{1,9})\s*([smhdw])")


def duration_text(seconds: float | None) -> str:
    """`8s`, `2m05s`, `3h12m`, `4d02h`; unknown is a dash."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, whole = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{whole:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def duration_seconds(text: str) -> int | None:
    """Seconds of `90m`, `12h`, `7d`, `1d12h` or `2w`; None for what is no duration."""
    if not re.fullmatch(rf"(?:{_DURATION.pattern}\s*)+", text.strip().lower()):
        return None
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in _DURATION.findall(text.lower()))


def age_text(seconds: float) -> str:
    """`now` below a minute, then whole minutes, hours or days, so that a calm list sends nothing."""
    if seconds < 60:
        return "now"
    return duration_text(seconds // 60 * 60).removesuffix("00s")


def count_text(count: float | None) -> str:
    """`950`, `12.3k`, `4.56M`, `1.20B`, three significant digits past a thousand."""
    if count is None or not math.isfinite(count):
        return UNKNOWN
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        # 999,950 would round to "1000k", so each unit begins where its text rounds to 1.
        if abs(count) >= size * 0.9995:
            scaled = count / size
            digits = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
            return f"{scaled:.{digits}f}{unit}"
    return f"{count:.0f}"


def bytes_text(count: float | None) -> str:
    """`809 kB`, `1.2 GB`, in units of 1,000; unknown is a dash."""
    if count is None:
        return UNKNOWN
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 9.95 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def money_text(usd: float | None) -> str:
    """`$0`, `<$0.0001`, `$0.0042`, `$12.34`; an unknown price is `$?`."""
    if usd is None:
        return "$?"
    if usd == 0:
        return "$0"
    if 0 < usd < 0.00005:
        return "<$0.0001"
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def number_text(value: float | None) -> str:
    """A loss or another metric, four significant digits; `nan` and `inf` are shown as they are."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    return f"{value:.2e}" if abs(value) < 1e-3 or abs(value) >= 1e5 else f"{value:.4g}"


def share_text(share: float | None) -> str:
    """`97.5%` for 0.975."""
    return UNKNOWN if share is None or not math.isfinite(share) else f"{share * 100:.1f}%"
