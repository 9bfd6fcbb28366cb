"""Fewer steps where the budget would not hold: what a person may spend is a limit, not a wish."""

from __future__ import annotations

from pydantic import ValidationError

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.cost_estimate import estimate_cost
from tcao_tui.domain.draft import Draft, Filled, nested
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.policy.situation import Situation, filled
from tcao_tui.domain.wording import money_text

STEPS = "training.num_steps"
BUDGET_SHARE = 0.8
"""Part of the budget that the expected cost may use; the rest is for what turns out longer than expected."""


def steps_within_budget(done: Draft, facts: Facts) -> Filled | None:
    """The number of steps that the budget pays for, when that is less than the completed draft has; None otherwise."""
    situation = Situation(done, facts)
    budget, steps = situation.number("budget.max_cost_usd"), situation.count(STEPS)
    cost = _cost(done, facts) if budget and steps and not situation.is_free else None
    expected = None if cost is None else cost.total.expected_usd
    if cost is None or expected is None or not budget or expected <= BUDGET_SHARE * budget:
        return None
    growing = sum(
        line.usd.expected_usd or 0.0 for line in cost.lines if line.kind in ("training", "sampling", "validation")
    )
    left = BUDGET_SHARE * budget - (expected - growing)
    fewer = int(steps * left / growing) if growing else 0
    if not 0 < fewer < steps:
        return None
    reason = f"what {money_text(budget)} pays for with a fifth to spare; without it {steps:,}: {done[STEPS].reason}"
    return filled(fewer, reason, cost.price_source)


def _cost(done: Draft, facts: Facts) -> CostEstimate | None:
    try:
        plan = Plan.model_validate(nested(done))
    except (ValidationError, AttributeError, TypeError):
        return None
    model = facts.model(plan.training.base_model)
    return None if model is None else estimate_cost(plan, facts, model.price)
