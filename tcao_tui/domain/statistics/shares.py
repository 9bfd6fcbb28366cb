"""Shares and votes, exactly and with the standard library alone: a console that shows votes loads no numpy for them."""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95
POWER = 0.8

NORMAL_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Of the standard normal distribution, for a two-sided interval."""

POWER_QUANTILE = NormalDist().inv_cdf(POWER)


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share of `count` things, at least one; honest also for few of them and for 0 or 1.

    Source: Wilson 1927; without a correction for continuity, as statsmodels' `proportion_confint(method="wilson")`.
    """
    squared = NORMAL_QUANTILE**2
    middle = (share + squared / (2 * count)) / (1 + squared / count)
    half = NORMAL_QUANTILE * math.sqrt(share * (1 - share) / count + squared / (4 * count**2)) / (1 + squared / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact sign test: how often a fair coin is at least this far from even; 1 without a throw.

    Of two subjects that are right or wrong on the same items it is McNemar's exact test.
    """
    count = wins + losses
    ways = tail = 1
    for few in range(1, min(wins, losses) + 1):
        ways = ways * (count - few + 1) // few
        tail += ways
    return min(1.0, 2 * tail / 2**count)
