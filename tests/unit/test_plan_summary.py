from __future__ import annotations

from pathlib import Path
from typing import Any

from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import Plan
from tcao_tui.services.proposals import propose
from tcao_tui.tui.plan_summary import preview_of
from tcao_tui.tui.ports import PlanPreview
from tests.fakes import known_facts as known
from tests.fakes.measured import LOCAL, Measured, free_facts


def preview(facts: Facts, changes: dict[str, Any] | None = None) -> PlanPreview:
    plan = Plan.model_validate(known.values(changes))
    return preview_of(Path("plan.yaml"), propose(plan, LOCAL, measure=Measured(facts).sources()))


def test_a_free_plan_is_shown_with_its_rows_and_its_warnings() -> None:
    shown = preview(free_facts(), {"training.num_steps": 40})
    facts = dict(shown.facts)
    assert facts["training"] == "train.jsonl, 2,000 rows"
    assert facts["score"] == "test.jsonl, 200 rows, exact"
    assert facts["warning"].startswith("training.num_steps: 40 steps")
    assert dict(shown.estimate)["cost"] == "$0.00, this backend is free"
    assert (shown.is_free, shown.problems) == (True, ())


def test_what_costs_shows_the_range_and_the_cap() -> None:
    shown = preview(known.facts())
    estimate = dict(shown.estimate)
    assert " expected, " in estimate["cost"]
    assert estimate["cap"].startswith("$20.00")
    assert estimate["prices"] == "a list"
    assert not shown.is_free


def test_unknown_prices_are_said() -> None:
    facts = known.facts(capabilities=known.capabilities(known.model(price=known.UNKNOWN)))
    assert dict(preview(facts, {"budget.max_cost_usd": None}).estimate)["cost"].startswith("unknown")


def test_a_method_that_no_worker_can_carry_out_is_a_problem() -> None:
    shown = preview(free_facts(methods=("dpo",)))
    assert shown.problems == ("the plan is in order, but no worker here can carry out method sft yet",)
