"""Gate 6: the cost is known and within the cap. An unknown price is said, and never taken for nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tcao_tui.domain.checks.findings import Finder, Judged
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.cost import CostEstimate, CostRange
from tcao_tui.domain.cost_estimate import estimate_cost
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import money_text

_FIND = Finder(Gate.COST)
_KEY = "budget.max_cost_usd"


def estimated(subject: Subject) -> CostEstimate | None:
    """What the plan may cost; None until its model and its training rows are known."""
    if subject.model is None or subject.profile("train_file") is None:
        return None
    return estimate_cost(subject.plan, subject.facts, subject.model.price)


def check_cost(subject: Subject) -> Judged:
    """Judge the cap by the estimate."""
    cost = estimated(subject)
    if cost is None:
        missing = "the model's price is" if subject.model is None else "the training rows are"
        return Judged(why_open=f"{missing} needed first")
    if cost.is_free:
        return Judged()
    return Judged(tuple(_paid(subject.plan.budget.max_cost_usd, cost)))


def _paid(cap: float | None, cost: CostEstimate) -> Iterator[Finding]:
    expected, high = cost.total.expected_usd, cost.total.high_usd
    if expected is None or high is None:
        yield from _unknown(cap, cost)
    elif cap is None:
        yield _FIND.error(
            _KEY,
            got=f"no cap, and the plan may cost {range_text(cost.total)}",
            expected="the most that it may cost, in US dollars",
            fix=f"set {_KEY} to {_round_up(high)}: the worker stops there with a checkpoint",
        )
    elif cap < expected:
        yield _FIND.error(
            _KEY,
            got=f"the cap of {money_text(cap)} is below the estimate of {range_text(cost.total)}",
            expected=f"at least {money_text(expected)}",
            fix=f"set {_KEY} to {_round_up(high)}, or lower training.num_steps or training.train_batch_size",
        )
    elif cap < high:
        yield _FIND.warning(
            _KEY,
            got=f"the cap of {money_text(cap)} may be reached before the end: up to {money_text(high)}",
            expected=f"{money_text(high)} to be safe",
            fix=f"set {_KEY} to {_round_up(high)}, or be ready to resume with a higher one",
        )


def _unknown(cap: float | None, cost: CostEstimate) -> Iterator[Finding]:
    source = one_line(cost.price_source, 120)
    if cap is not None:
        yield _FIND.error(
            _KEY,
            got=f"a cap of {money_text(cap)} cannot be kept: prices are unknown ({source})",
            expected="no cap, or a backend with prices",
            fix=f"remove {_KEY} and approve by hand, or choose a backend with prices",
        )
    else:
        yield _FIND.warning(
            _KEY,
            got=f"prices are unknown ({source}), so the cost is unknown and nothing stops it",
            expected="a person who knows what this server costs",
            fix="approve by hand if you know it; nothing approves this by itself",
        )


def range_text(total: CostRange) -> str:
    """`$2.10 ($1.40 to $3.90)`, or that it is unknown."""
    if total.expected_usd is None:
        return "unknown (prices are not known)"
    return f"{money_text(total.expected_usd)} ({money_text(total.low_usd)} to {money_text(total.high_usd)})"


def _round_up(usd: float) -> str:
    """Two digits, never less than the amount."""
    if usd <= 0:
        return "0.01"
    step = 10.0 ** (math.floor(math.log10(usd)) - 1)
    return f"{math.ceil(usd / step) * step:.12g}"
