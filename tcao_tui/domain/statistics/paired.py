"""The difference of two checkpoints on the same items, and how sure it is.

Unpaired intervals of two scores find a true gain of 5 points in 200 binary items in 11 % of cases, paired ones in a
third (measured, `bench/README.md`), so two bare numbers are never compared here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from tcao_tui.domain.statistics.shares import CONFIDENCE, NORMAL_QUANTILE, POWER, sign_test

_FEWEST_CLUSTERS = 2
"""One cluster has no spread between clusters."""


@dataclass(frozen=True, slots=True)
class ItemScore:
    """What one checkpoint got for one item.

    Attributes:
        value: Its score; None when it could not be graded, which is not the same as wrong.
        cluster: Items of one text, document or template belong together; empty: the item stands alone.
    """

    value: float | None
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """`candidate - base` over the items that both have graded.

    Attributes:
        items: How many those are; `clusters` of them are independent.
        mean: Mean difference, in units of the score; NaN without an item.
        standard_error: Of the mean; clustered where items come in groups.
        low, high: 95 % interval of the mean.
        p_value: Two-sided, of no difference.
        wins, losses: Items where the candidate, or the base, did better.
        left_out: Items that only one of them has graded.
        method: How it was calculated, for the report.
    """

    items: int
    clusters: int
    mean: float
    standard_error: float
    low: float
    high: float
    p_value: float
    wins: int
    losses: int
    left_out: int
    method: str

    @property
    def is_known(self) -> bool:
        """Whether there are items enough for an interval."""
        return math.isfinite(self.low)

    def detectable(self, power: float = POWER, comparisons: int = 1) -> float:
        """Smallest true difference that would be found with this chance; NaN where nothing is known.

        Args:
            power: The chance, 0 to 1.
            comparisons: Among which this one must stand out, as `holm` demands of the smallest p value.

        Source: (t(1 - alpha/2) + t(power)) standard errors (Miller 2024, "Adding error bars to evals", section 5).
        """
        freedom = self.clusters - 1
        if freedom < 1 or not math.isfinite(self.standard_error):
            return math.nan
        certain = student_quantile(freedom, 1 - (1 - CONFIDENCE) / (2 * comparisons))
        return (certain + student_quantile(freedom, power)) * self.standard_error

    def items_to_detect(self, difference: float, power: float = POWER, comparisons: int = 1) -> int | None:
        """Items, with as many to a cluster as here, that would find this true difference; None where unknown."""
        detectable = self.detectable(power, comparisons)
        if not math.isfinite(detectable) or detectable == 0 or difference == 0:
            return None
        return math.ceil(self.items * (detectable / abs(difference)) ** 2)


UNKNOWN = Difference(0, 0, math.nan, math.nan, math.nan, math.nan, 1.0, 0, 0, 0, "no item is graded for both")


def compare(candidate: Mapping[str, ItemScore], base: Mapping[str, ItemScore]) -> Difference:
    """The difference of two checkpoints, item by item.

    Args:
        candidate: Scores by item id; the mean over epochs where an item was run several times.
        base: The same of what it is held against; its groups count.
    """
    shared = [key for key in base if key in candidate]
    graded = [key for key in shared if candidate[key].value is not None and base[key].value is not None]
    left_out = len(candidate.keys() | base.keys()) - len(graded)
    if not graded:
        return UNKNOWN
    ours, theirs = (np.array([_value(side[key]) for key in graded]) for side in (candidate, base))
    clusters = [base[key].cluster or key for key in graded]
    return _difference(ours, theirs, clusters, left_out)


def _value(score: ItemScore) -> float:
    assert score.value is not None
    return score.value


def _difference(ours: np.ndarray, theirs: np.ndarray, clusters: Sequence[str], left_out: int) -> Difference:
    gains = ours - theirs
    count, groups = len(gains), len(set(clusters))
    mean, error = float(gains.mean()), clustered_error(gains, clusters)
    wins, losses = int((gains > 0).sum()), int((gains < 0).sum())
    binary = groups == count and bool(np.isin(np.concatenate([ours, theirs]), (0.0, 1.0)).all())
    if binary:
        low, high = agresti_min(wins, losses, count)
        p_value, method = sign_test(wins, losses), "exact McNemar test, Agresti-Min interval"
    else:
        low, high, p_value = _student(mean, error, groups)
        method = "paired t" if groups == count else f"paired t, errors clustered in {groups:,} groups"
    return Difference(count, groups, mean, error, low, high, p_value, wins, losses, left_out, method)


def student_quantile(freedom: int, share: float = (1 + CONFIDENCE) / 2) -> float:
    """Of Student's distribution; as it stands, for a two-sided 95 % interval."""
    return float(special.stdtrit(freedom, share))


def clustered_error(values: np.ndarray, clusters: Sequence[str]) -> float:
    """Standard error of a mean whose items come in groups; NaN for fewer than two groups.

    Source: Liang and Zeger's sandwich with the factor G / (G - 1) for few groups, as statsmodels' `cov_type="cluster"`
    up to its further factor (n - 1) / (n - k); without groups it is the standard deviation over the root of n.
    """
    _, numbers = np.unique(np.asarray(clusters), return_inverse=True)
    groups = int(numbers.max()) + 1
    if groups < _FEWEST_CLUSTERS:
        return math.nan
    sums = np.bincount(numbers, weights=values - values.mean())
    return float(np.sqrt(groups / (groups - 1) * np.square(sums).sum()) / len(values))


def agresti_min(wins: int, losses: int, items: int) -> tuple[float, float]:
    """95 % interval of a difference of paired shares, honest also for few items and for none that differ.

    Source: Agresti and Min 2005, "Simple improved confidence intervals for comparing matched proportions": Wald's
    interval after half an item was added to each of the four cells.
    """
    count, more, less = items + 2, wins + 0.5, losses + 0.5
    middle = (more - less) / count
    half = NORMAL_QUANTILE * math.sqrt(more + less - (more - less) ** 2 / count) / count
    return max(-1.0, middle - half), min(1.0, middle + half)


def _student(mean: float, error: float, groups: int) -> tuple[float, float, float]:
    if not math.isfinite(error):
        return math.nan, math.nan, 1.0
    if error == 0:
        # Groups that all moved alike have no spread to measure: how rarely signs alone agree so is all that is known.
        return math.nan, math.nan, 1.0 if mean == 0 else sign_test(groups, 0)
    half = student_quantile(groups - 1) * error
    return mean - half, mean + half, 2 * float(special.stdtr(groups - 1, -abs(mean) / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """P values of several comparisons, corrected so that one false alarm in all of them is as rare as promised.

    Source: Holm 1979; the order is kept.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, worst = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = worst
    return corrected
