"""How far a judge agrees with people who graded the same answers: share, kappa, and what they mean for use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tcao_tui.domain.statistics.shares import NORMAL_QUANTILE, wilson

FEWEST_LABELS = 30
"""With fewer, nothing is said of a judge: an interval of kappa by a normal quantile needs more."""

SUBSTANTIAL = 0.6
"""Kappa above which Landis and Koch 1977 call agreement substantial; a convention, not a law."""

_NO_ERROR = 1e-12


@dataclass(frozen=True, slots=True)
class Confusion:
    """Answers by what people and the judge called them."""

    both_right: int
    only_people: int
    only_judge: int
    both_wrong: int

    @property
    def items(self) -> int:
        """Answers that both graded."""
        return self.both_right + self.only_people + self.only_judge + self.both_wrong

    @property
    def agreement(self) -> float:
        """Share of the answers that both graded alike, 0 to 1. Needs at least one."""
        return (self.both_right + self.both_wrong) / self.items


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa with its 95 % interval."""

    value: float
    low: float
    high: float


def confusion(pairs: Iterable[tuple[bool, bool]]) -> Confusion:
    """Count pairs of what people and what the judge called an answer, in this order."""
    found = Counter(pairs)
    return Confusion(found[True, True], found[True, False], found[False, True], found[False, False])


def cohens_kappa(table: Confusion) -> Kappa | None:
    """Agreement beyond chance; None where both used one and the same grade only, or nothing was graded.

    Source: Cohen 1960; standard error for intervals by Fleiss, Cohen and Everitt 1969, as statsmodels' `cohens_kappa`
    (`std_kappa`). Where that error is 0, as with perfect agreement, the interval is Wilson's of the agreement with
    chance agreement held as it is.
    """
    if not table.items:
        return None
    cells = [[count / table.items for count in row] for row in _rows(table)]
    people = [sum(row) for row in cells]
    judge = [cells[0][one] + cells[1][one] for one in range(2)]
    agreed, chance = table.agreement, sum(p * j for p, j in zip(people, judge, strict=True))
    if chance == 1:
        return None
    value = (agreed - chance) / (1 - chance)
    alike = sum(cells[one][one] * (1 - (people[one] + judge[one]) * (1 - value)) ** 2 for one in range(2))
    apart = (1 - value) ** 2 * sum(cells[one][1 - one] * (judge[one] + people[1 - one]) ** 2 for one in range(2))
    variance = alike + apart - (value - chance * (1 - value)) ** 2
    error = math.sqrt(max(0.0, variance) / table.items) / (1 - chance)
    if error < _NO_ERROR:
        low, high = ((share - chance) / (1 - chance) for share in wilson(agreed, table.items))
    else:
        low, high = value - NORMAL_QUANTILE * error, value + NORMAL_QUANTILE * error
    return Kappa(value, max(-1.0, low), min(1.0, high))


def meaning(table: Confusion, kappa: Kappa | None) -> str:
    """What follows for the use of the judge, one sentence."""
    if table.items < FEWEST_LABELS:
        return f"fewer than {FEWEST_LABELS} labels that both graded: too few to tell"
    if kappa is None:
        return "people and judge used one grade only, so kappa says nothing: label answers of both kinds"
    if kappa.low >= SUBSTANTIAL:
        return f"kappa is surely {SUBSTANTIAL} or more: its grades may stand for people's on answers like these"
    if kappa.high < SUBSTANTIAL:
        return f"kappa is surely under {SUBSTANTIAL}: mend the rubric or name another judge before its grades count"
    return f"whether kappa reaches {SUBSTANTIAL} cannot be told: label more answers, and read its grades until then"


def _rows(table: Confusion) -> tuple[tuple[int, int], tuple[int, int]]:
    """People's grades down, the judge's across."""
    return (table.both_right, table.only_people), (table.only_judge, table.both_wrong)
